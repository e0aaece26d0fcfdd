import { spawn } from "node:child_process"
import { once } from "node:events"
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, test, vi } from "vitest"
import type { Lens } from "../../firmware/ports.ts"
import { mutant } from "../mutants.ts"
import { root, TYPESCRIPT } from "../support.ts"
import { isAlive, lensIn, type StandInCamera, standInCamera, takeUnits, warnings } from "./stand-in-camera.ts"

describe("no process is left", () => {
  test("that ignores INT and TERM", async () => {
    const { camera, lens } = await lensIn("wedged")
    camera.env.STAND_IN_AFTER = "1"
    const stop = new AbortController()
    const reading = (async () => {
      for await (const _piece of lens.pieces(stop.signal)) await sleep(20)
    })()
    await vi.waitFor(() => expect(warnings(camera).length).toBe(1))
    stop.abort()
    await reading
    expect(camera.running()).toEqual([])
  })

  test("which a mutant fails that stops at TERM", async () => {
    const mistake = { path: "hardware/lens/process.ts", from: ', "SIGKILL"]', to: "]" }
    const { chooseLens } = await mutant<{ chooseLens: (choice: StandInCamera) => Promise<Lens> }>(
      "hardware/lens/choose.ts",
      mistake,
    )
    const camera = standInCamera({}, { haste: 10 })
    camera.env.STAND_IN_MODES = "wedged"
    await expect(takeUnits(await chooseLens(camera), 100)).rejects.toMatchObject({ kind: "unavailable" })
    const left = camera.running()
    for (const pid of left) process.kill(pid, "SIGKILL")
    expect(left.length).toBe(1)
  })

  test.each(["process.exit(0)", "throw new Error('the end')", "process.kill(process.pid, 'SIGKILL')"])(
    "when this process ends by %s",
    async (end) => {
      const camera = standInCamera()
      const program = `
      import { chooseLens } from "${root}/hardware/lens/choose.ts"
      import { processClock } from "${root}/hardware/clock.ts"
      const choice = ${JSON.stringify({ ...camera, env: undefined, clock: undefined, log: undefined })}
      const lens = await chooseLens({ ...choice, env: process.env, clock: processClock(), log: { write() {} } })
      for await (const _piece of lens.pieces(new AbortController().signal)) ${end}
    `
      const child = spawn(process.execPath, ["--import", TYPESCRIPT, "--input-type=module", "-e", program], {
        env: camera.env,
        stdio: ["ignore", "ignore", "pipe"],
      })
      await once(child, "close")
      const started = camera.calls().filter(({ argv }) => !argv.includes("--help"))
      expect(started.length).toBe(1)
      await vi.waitFor(() => expect(started.filter(({ pid }) => isAlive(pid))).toEqual([]))
    },
  )
})
