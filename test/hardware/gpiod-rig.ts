import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { onTestFinished } from "vitest"
import { parseConfig } from "../../firmware/config.ts"
import type { LogLine } from "../../firmware/log.ts"
import type { Clock } from "../../firmware/ports.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import { processClock } from "../../hardware/clock.ts"
import { type GpiodIo, type GpiodOptions, openGpiod } from "../../hardware/gpiod/gpiod-io.ts"
import { startKernel, type TestKernel } from "./gpiod-kernel.ts"

export const LABEL = "pinctrl-bcm2711"

/** A kernel with the gpiod tools of one version, and what was logged about them. */
export interface Rig {
  readonly folder: string
  readonly kernel: TestKernel
  readonly lines: readonly LogLine[]
  readonly options: GpiodOptions
  /** Opened here is closed at the end. */
  open(changes?: Partial<GpiodOptions>, by?: typeof openGpiod): Promise<GpiodIo>
}

export async function gpiodRig(version: 1 | 2, onFinished: typeof onTestFinished): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), "gpiod-"))
  const kernel = await startKernel({ folder, version, label: LABEL })
  onFinished(async () => {
    await kernel.close()
    rmSync(folder, { recursive: true })
  })
  const lines: LogLine[] = []
  const options: GpiodOptions = {
    pins: parseConfig().pins,
    chipLabel: LABEL,
    env: kernel.toolsEnv,
    clock: processClock(),
    log: { write: (line) => lines.push(line) },
  }
  return {
    ...{ folder, kernel, lines, options },
    async open(changes = {}, by = openGpiod) {
      const io = await by({ ...options, ...changes })
      onFinished(() => io.close())
      return io
    },
  }
}

/** The process's clock, on which waits that begin from now on are `hurry` times shorter. */
export function hurriedClock(): Clock & { hurry: number } {
  const clock = processClock()
  const hurried = {
    ...clock,
    hurry: 1,
    sleep: (duration: Milliseconds, signal?: AbortSignal) => clock.sleep(duration / hurried.hurry, signal),
    after: (duration: Milliseconds, task: () => void) => clock.after(duration / hurried.hurry, task),
  }
  return hurried
}

/** A process that has ended and that nobody has asked about yet (Z) does not run. */
export function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return false
  }
}
