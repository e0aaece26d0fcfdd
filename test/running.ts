import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import type { onTestFinished } from "vitest"

/** A process that a test has started. */
export interface Running {
  readonly child: ChildProcess
  /** What it has printed on standard output so far. */
  output(): string
  /** Resolves with its output once `text` was printed `times` times. Rejects if the process ends without. */
  until(text: string | RegExp, times?: number): Promise<string>
  /** Resolves when it, and all that it started, has let go of its output. */
  readonly ended: Promise<Ended>
}

export interface Ended {
  /** null: a signal ended it. */
  readonly code: number | null
  /** Standard output. */
  readonly output: string
  /** Standard error. */
  readonly errors: string
}

/** `child` has pipes for its output. */
export function running(child: ChildProcess): Running {
  let output = ""
  let errors = ""
  const looks = new Set<() => void>()
  child.stdout?.on("data", (bytes) => {
    output += String(bytes)
    for (const look of looks) look()
  })
  child.stderr?.on("data", (bytes) => (errors += String(bytes)))
  const ended = once(child, "close").then(([code]) => ({ code, output, errors }))
  const until = (text: string | RegExp, times = 1) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        if (output.split(text).length <= times) return
        looks.delete(look)
        resolve(output)
      }
      looks.add(look)
      look()
      void ended.then(() => reject(new Error(`it ended without ${text}: ${output}${errors}`)))
    })
  return { child, until, ended, output: () => output }
}

/** The same of a process that was started `detached`: of its group nothing is left when the test ends. */
export function runningGroup(child: ChildProcess, onFinished: typeof onTestFinished): Running {
  const started = running(child)
  onFinished(async () => {
    try {
      process.kill(-(child.pid ?? 0), "SIGKILL")
    } catch (error) {
      // Nothing of it is left, as it should be.
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error
    }
    await started.ended
  })
  return started
}
