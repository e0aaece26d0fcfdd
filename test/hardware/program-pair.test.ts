import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { bundle } from "./pi-camera.ts"
import { home, pressUntil } from "./pi-home.ts"

let program: Awaited<ReturnType<typeof bundle>>
beforeAll(async () => {
  program = await bundle()
})
afterAll(() => program.remove())

describe.concurrent("obscura-camera pair", { timeout: 60_000 }, () => {
  test("--setup - takes the text from standard input, waits for a press all the same, and once", async ({
    onTestFinished,
  }) => {
    const { pi, offer } = await home(program.file, onTestFinished)
    const { text, camera } = offer()
    const pairing = pi.start("pair", "--setup", "-")
    pairing.child.stdin?.end(`${text}\n`)
    await pairing.until("Press its button.")
    expect(pairing.output()).not.toContain("Asking the owner")
    await pressUntil(pi, pairing, "Asking the owner")
    const key = await camera
    const { code, output, errors } = await pairing.ended
    expect({ code, errors }).toEqual({ code: 0, errors: "" })
    expect(output).toContain(`This is camera ${key?.id}.`)
    expect(output).toContain("Paired. Start the service")
    expect(output).not.toContain(text.slice(10, 42))
    const again = await pi.start("pair").ended
    expect(again.code).toBe(2)
    expect(again.errors).toMatch(/^obscura-camera: camera [0-9a-f]{40} has an owner: to give it away, .*\n$/)
  })

  test("sends nobody away from a camera that runs without saying what to do", async ({ onTestFinished }) => {
    const { pi } = await home(program.file, onTestFinished)
    const running = pi.start("run")
    await running.until('"event":"no owner yet"')
    const refused = await pi.start("pair").ended
    expect(refused).toMatchObject({ code: 2, output: "" })
    expect(refused.errors).toMatch(
      /^obscura-camera: this camera is running, and pairs by itself .*systemctl stop.*\n$/,
    )
    running.child.kill("SIGTERM")
    expect((await running.ended).code).toBe(0)
  })

  test("takes no text on the command line, and quotes none that is wrong", async ({ onTestFinished }) => {
    const { pi } = await home(program.file, onTestFinished)
    const shown = await pi.start("pair", "--setup", "OBSCURA:1:SECRET").ended
    expect(shown.code).toBe(2)
    expect(shown.errors).toMatch(/^obscura-camera: --setup takes - alone.*\n$/)
    const wrong = pi.start("pair", "--setup", "-")
    wrong.child.stdin?.end("OBSCURA:1:SECRET\n")
    const { code, errors, output } = await wrong.ended
    expect(code).toBe(2)
    expect(errors).toMatch(/^obscura-camera: this is no obscura setup text.*\n$/)
    expect(errors + output).not.toContain("SECRET")
  })

  test("reads no more of standard input than a text can be, though it never ends", async ({
    onTestFinished,
  }) => {
    const { pi } = await home(program.file, onTestFinished)
    const pairing = pi.start("pair", "--setup", "-")
    // It has hung up when it has read enough.
    pairing.child.stdin?.on("error", () => undefined).write("OBSCURA".repeat(1_000))
    const { code, errors } = await pairing.ended
    expect(code).toBe(2)
    expect(errors).toMatch(/^obscura-camera: this is no obscura setup text.*\n$/)
  })
})
