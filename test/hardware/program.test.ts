import { existsSync } from "node:fs"
import { readdir, readFile, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { bucketSource } from "../../harness/owner/bucket-source.ts"
import { readFmp4 } from "../../harness/owner/fmp4.ts"
import { Vault } from "../../harness/owner/vault.ts"
import { bundle, underSystemd } from "./pi-camera.ts"
import { home, pairedCamera, until } from "./pi-home.ts"

let program: Awaited<ReturnType<typeof bundle>>
beforeAll(async () => {
  program = await bundle()
})
afterAll(() => program.remove())

describe.concurrent("the camera on a Pi", { timeout: 60_000 }, () => {
  test("pairs by a QR code before its lens, records, stops in order, and its owner opens every clip", async ({
    onTestFinished,
  }) => {
    const ours = await home(program.file, onTestFinished)
    const { pi, cloud, keys } = ours
    const { running, camera } = await pairedCamera(ours)
    await pi.press()
    await running.until('"event":"clip recorded"')
    await running.until('"event":"received"')
    await pi.kernel.until(() => pi.kernel.level(22) === 0)

    // The second is being recorded when it is told to stop.
    await pi.press()
    await running.until('"event":"clip opened"', 2)
    await running.until('"event":"object sealed"', 4)
    expect(pi.kernel.level(22)).toBe(1)
    running.child.kill("SIGTERM")
    const { code, output, errors } = await running.ended
    expect({ code, errors }).toEqual({ code: 0, errors: "" })
    expect(output.split('"event":"clip recorded"')).toHaveLength(3)
    expect(output).toContain('"event":"stopped"')
    await pi.kernel.until(() => pi.kernel.holders.length === 0)

    const again = pi.start("run")
    const vault = new Vault(bucketSource(cloud.bucket), camera, keys.identity)
    await until(async () => {
      const { clips } = await vault.view()
      return clips.length === 2 && clips.every(({ whole }) => whole)
    })
    again.child.kill("SIGINT")
    expect((await again.ended).code).toBe(0)
    const { clips, alerts } = await vault.view()
    expect(alerts).toEqual([])
    const shown = await readFile(pi.env.STAND_IN_FOOTAGE ?? "")
    const kept = [Buffer.from(output), ...(await filesUnder(pi.folder))]
    for (const clip of clips) {
      const opened = Buffer.from(await vault.openClip(clip))
      const { samples } = readFmp4(opened)
      expect(samples.length).toBeGreaterThan(0)
      const pictures = samples.flatMap(({ nals }) => nals.map((nal) => Buffer.from(nal)))
      expect(pictures.every((nal) => shown.includes(nal))).toBe(true)
      // Pictures are plain in its memory, and nowhere else.
      const excerpts = pictures.map((nal) => nal.subarray(20, 60)).filter((each) => new Set(each).size > 20)
      expect(excerpts.length).toBeGreaterThan(0)
      expect(excerpts.every((excerpt) => opened.includes(excerpt))).toBe(true)
      expect(kept.some((bytes) => excerpts.some((excerpt) => bytes.includes(excerpt)))).toBe(false)
    }
    const { seed } = JSON.parse(await readFile(join(pi.paths.state, "private/identity"), "utf8"))
    for (const secret of [seed, keys.householdSecret]) expect(output).not.toContain(secret)
  })

  test("says what it does while it runs, and what it left when it does not", async ({ onTestFinished }) => {
    const ours = await home(program.file, onTestFinished)
    const { pi } = ours
    const nothing = await pi.start("status").ended
    expect(nothing).toMatchObject({ code: 0, errors: "" })
    expect(nothing.output).toMatch(/^camera +none on this machine yet/)

    const { running, camera } = await pairedCamera(ours)
    await pi.press()
    await running.until('"event":"received"')
    process.kill(running.child.pid ?? 0, "SIGUSR1") // where node would open a port for a debugger
    const live = async () => JSON.parse((await pi.start("status", "--json").ended).output)
    await until(async () => {
      const { state, spool } = JSON.parse(await readFile(join(pi.paths.runtime, "status.json"), "utf8"))
      return state === "ready" && spool.waiting === 0
    })
    const now = await live()
    expect(now).toMatchObject({
      running: true,
      said: { device: camera.id, paired: true, lens: "rpicam-vid", lastFault: null, spool: { waiting: 0 } },
      ports: { camera: { tcp: [], udp: [] } },
    })
    expect(now.said).toMatchObject({
      connectedSince: expect.any(String),
      lastDeliveredAt: expect.any(String),
    })
    const text = (await pi.start("status").ended).output
    expect(text).toMatch(new RegExp(`^camera +${camera.id}, paired$`, "m"))
    expect(text).toMatch(/^ports +the camera opens none \(its sockets were looked at\)$/m)

    running.child.kill("SIGKILL")
    await running.ended
    const dead = (await pi.start("status").ended).output
    expect(dead).toMatch(/^state +not running since \d{4}-/m)
    expect(dead).toMatch(new RegExp(`^camera +${camera.id}, paired$`, "m"))
    expect(dead).toMatch(/^spool +\d+ sealed objects/m)
    const { left } = await live()
    expect(left.spool.objects).toBeGreaterThan(0)
    const seed = JSON.parse(await readFile(join(pi.paths.state, "private/identity"), "utf8")).seed
    const said = await readFile(join(pi.paths.runtime, "status.json"), "utf8")
    expect(text + dead + JSON.stringify(left) + said).not.toContain(seed)
  })

  test("keeps its state to itself, and its status to itself and its group", async ({ onTestFinished }) => {
    const { pi } = await home(program.file, onTestFinished)
    const running = pi.start("run")
    await running.until('"event":"no owner yet"')
    const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)
    expect(await modeOf(pi.paths.state)).toBe("700")
    expect(await modeOf(join(pi.paths.state, "private"))).toBe("700")
    expect(await modeOf(join(pi.paths.state, "private/identity"))).toBe("600")
    await until(() => existsSync(join(pi.paths.runtime, "status.json")))
    expect(await modeOf(join(pi.paths.runtime, "status.json"))).toBe("640")
    running.child.kill("SIGTERM")
    expect((await running.ended).code).toBe(0)
  })

  test("tells systemd when it is ready, that it lives, what it does, and that it stops", async ({
    onTestFinished,
  }) => {
    const { pi } = await home(program.file, onTestFinished)
    await underSystemd(pi)
    pi.env.WATCHDOG_USEC = "200000"
    const running = pi.start("run")
    await until(async () => (await pi.told()).filter((line) => line === "WATCHDOG=1").length > 2)
    running.child.kill("SIGTERM")
    expect((await running.ended).code).toBe(0)
    const told = await pi.told()
    expect(told).toContain("READY=1")
    expect(told).toContain("STATUS=booting")
    expect(told).toContain("STOPPING=1")
    expect(told.indexOf("READY=1")).toBeLessThan(told.indexOf("STOPPING=1"))
  })

  test("ends at once at the second signal, though its lens is stuck", async ({ onTestFinished }) => {
    const ours = await home(program.file, onTestFinished)
    const { running } = await pairedCamera(ours)
    running.child.kill("SIGTERM")
    Object.assign(ours.pi.env, { STAND_IN_MODES: "wedged", STAND_IN_AFTER: "3" })
    await running.ended
    const stuck = ours.pi.start("run")
    await stuck.until("Device timeout detected")
    stuck.child.kill("SIGTERM")
    await new Promise((resolve) => setTimeout(resolve, 600))
    stuck.child.kill("SIGTERM")
    expect((await stuck.ended).code).toBe(130)
  })
})

describe.concurrent("a camera that cannot go on", { timeout: 60_000 }, () => {
  test("is ended by a fault: one line says which, and systemd is left to start it again", async ({
    onTestFinished,
  }) => {
    const ours = await home(program.file, onTestFinished)
    const { running } = await pairedCamera(ours)
    await rm(join(ours.pi.paths.state, "data"), { recursive: true })
    await ours.pi.press()
    const { code, output, errors } = await running.ended
    expect(code).toBe(1)
    expect(errors).toMatch(/^obscura-camera: disk: [^\n]+\n$/)
    expect(output).toMatch(/"level":50,.*"event":"fault","where":"camera"/)
    await ours.pi.kernel.until(() => ours.pi.kernel.holders.length === 0)
  })

  test("is ended when it does not stop in time, and says so", async ({ onTestFinished }) => {
    const ours = await home(program.file, onTestFinished)
    const { running } = await pairedCamera(ours)
    running.child.kill("SIGTERM")
    await running.ended
    Object.assign(ours.pi.env, {
      STAND_IN_MODES: "wedged",
      STAND_IN_AFTER: "3",
      GPIOD_DEAF_TO: "SIGINT,SIGTERM",
    })
    const stuck = ours.pi.start("run")
    await stuck.until("Device timeout detected")
    stuck.child.kill("SIGTERM")
    const { code, output } = await stuck.ended
    expect(code).toBe(1)
    expect(output).toContain("not everything has stopped in time; what was sealed is safe on the disk")
  })
})

async function filesUnder(folder: string): Promise<Buffer[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name))))
}
