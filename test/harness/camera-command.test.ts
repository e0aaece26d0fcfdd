import { spawn } from "node:child_process"
import { mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, type onTestFinished, test } from "vitest"
import { newSetupCode, setupText } from "../../firmware/control/pairing.ts"
import { type Running, runningGroup } from "../running.ts"
import { root } from "../support.ts"
import { obscura } from "./run-obscura.ts"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-camera-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** `obscura camera WORDS` in a process group of its own, of which nothing is left when the test ends. */
function camera(onFinished: typeof onTestFinished, ...words: readonly string[]): Running {
  const child = spawn(process.execPath, [join(root, "harness", "obscura.js"), "camera", ...words], {
    ...{ cwd: folder, stdio: ["ignore", "pipe", "pipe"], detached: true },
  })
  return runningGroup(child, onFinished)
}

describe("obscura camera", () => {
  test("whose pairing failed ends with one line that says what to do", async ({ onTestFinished }) => {
    const text = setupText(newSetupCode({ name: "obscura.local", pin: null }))
    const words = ["--home", "spent", "--broker", "mqtt://127.0.0.1:1", "--setup", text]
    const first = camera(onTestFinished, ...words)
    await first.until('"event":"pairing opened"')
    first.child.kill("SIGINT")
    expect((await first.ended).code).toBe(0)
    const { code, stderr } = await obscura(folder, "camera", ...words)
    expect(stderr).toMatch(/^obscura: pairing failed: this setup text was used before; ask for .*\n$/)
    expect(code).toBe(1)
  }, 60_000)

  test("says why what moved was not kept, and when somebody can be seen", async ({ onTestFinished }) => {
    const running = camera(onTestFinished, "--home", "empty", "--scene", "day-car", "--motion", "7.5s-8s")
    await running.until('"event":"clip discarded"')
    await running.until("nobody was in the picture: in day-car somebody is, from 2.8 s to 6.3 s")
    running.child.kill("SIGINT")
    expect((await running.ended).code).toBe(0)
  }, 60_000)

  test("--reset makes it another camera, and says what is gone", async ({ onTestFinished }) => {
    const devices: string[] = []
    for (const boot of ["first", "second"]) {
      const running = camera(onTestFinished, "--home", "given-away")
      const printed = await running.until('"event":"started"')
      devices.push(/"event":"started","device":"([0-9a-f]{40})"/.exec(printed)?.[1] ?? boot)
      running.child.kill("SIGINT")
      expect((await running.ended).code).toBe(0)
      const reset = await obscura(folder, "camera", "--home", "given-away", "--reset")
      expect(reset.code).toBe(0)
      expect(reset.output).toContain(
        `camera ${devices.at(-1)} is no more: its key, its owner and the 0 sealed`,
      )
    }
    expect(devices[0]).not.toBe(devices[1])
    const names = await readdir(join(folder, "given-away", "camera"), { recursive: true })
    expect(names.filter((name) => /identity|pairing|object|manifest/.test(name))).toEqual([])
    const nothing = await obscura(folder, "camera", "--home", "given-away", "--reset")
    expect(nothing).toMatchObject({ code: 0, output: "there was no camera here\n" })
  }, 90_000)

  test("--reset where there was no camera makes none, nor a folder for one", async () => {
    const { code, output } = await obscura(folder, "camera", "--home", "nobody", "--reset")
    expect([code, output]).toEqual([0, "there was no camera here\n"])
    expect(await readdir(folder)).not.toContain("nobody")
  }, 30_000)

  test.for(["SIGTERM", "SIGINT"] as const)(
    "--watch takes its camera along when it gets %s",
    { timeout: 60_000 },
    async (signal, { onTestFinished }) => {
      const watching = camera(onTestFinished, "--home", `watched-${signal}`, "--watch")
      await watching.until('"event":"started"')
      if (signal === "SIGTERM") watching.child.kill(signal)
      // As a terminal does: to all of the group.
      else process.kill(-(watching.child.pid ?? 0), signal)
      const { code, output } = await watching.ended
      expect(output).toContain('"event":"stopped"')
      expect(code).toBe(0)
    },
  )
})
