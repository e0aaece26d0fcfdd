import { type ChildProcess, execFile, spawn } from "node:child_process"
import { access, constants } from "node:fs/promises"
import { delimiter, join } from "node:path"
import type { Readable } from "node:stream"
import { Fault, messageOf } from "../../firmware/errors.ts"
import type { Clock } from "../../firmware/ports.ts"
import { type Bytes, KiB, type Milliseconds, seconds } from "../../firmware/units.ts"
import { eachLine } from "../lines.ts"

/** Between one signal and the next, harder one. */
const PATIENCE: Milliseconds = seconds(2)
const LINE_CHARACTERS_MAX = 500
const ANSWER_WITHIN: Milliseconds = seconds(10)
const ANSWER_BYTES_MAX: Bytes = 256 * KiB

/** A camera program: bytes on its standard output, lines on its standard error, and nothing to read. */
export type CameraChild = ChildProcess & { readonly stdout: Readable; readonly stderr: Readable }

/** A process that this one started, and that does not outlive it. */
export class HelperProcess {
  readonly child: CameraChild
  /** Resolves, in words, when the process is gone and its lines are read: "exit 255", "SIGKILL", or why it never ran. */
  readonly ended: Promise<string>
  readonly #clock: Clock
  #over = false
  #stopping: Promise<void> | null = null

  /** Takes over a process that has just been started: nobody else listens to it, signals it or waits for it. */
  constructor(child: CameraChild, clock: Clock, onLine: (line: string) => void) {
    this.child = child
    this.#clock = clock
    keepFromOutlivingUs(child)
    // A pipe that cannot be read any more is closed, and its writer ends of that.
    for (const pipe of [child.stdout, child.stderr]) pipe.on("error", () => pipe.destroy())
    eachLine(child.stderr, onLine)
    this.ended = endingOf(child).then((ending) => {
      this.#over = true
      return ending
    })
  }

  /**
   * INT, after 2 s TERM, after 2 s KILL; resolves when it is gone. A process that not even KILL ends hangs in a driver:
   * after 2 s more nobody waits for it. What is left on its standard output is thrown away.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const { stdout } = this.child
    // A process that waits for room in a full pipe cannot end in order.
    stdout.removeAllListeners("data")
    stdout.resume()
    for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
      if (this.#over) return
      this.child.kill(signal)
      await this.#within(PATIENCE)
    }
    stdout.destroy()
    this.child.stderr.destroy()
  }

  async #within(duration: Milliseconds): Promise<void> {
    const waited = new AbortController()
    await Promise.race([this.ended, this.#clock.sleep(duration, waited.signal)])
    waited.abort()
  }
}

export function startHelper(
  program: string,
  options: readonly string[],
  { env, clock, onLine }: { env: NodeJS.ProcessEnv; clock: Clock; onLine: (line: string) => void },
): HelperProcess {
  return new HelperProcess(spawnCamera(program, options, env), clock, onLine)
}

/**
 * Never through a shell. Nothing is on its standard input. `start` is the system's own unless something stands before it.
 *
 * @throws Fault "unavailable", indefinite: the system has no room for another process.
 */
export function spawnCamera(
  program: string,
  options: readonly string[],
  env: NodeJS.ProcessEnv,
  start: typeof spawn = spawn,
): CameraChild {
  try {
    return start(program, options, { env, stdio: ["ignore", "pipe", "pipe"] })
  } catch (cause) {
    throw new Fault("unavailable", `${program} cannot be started: ${messageOf(cause)}`, {
      cause,
      definite: false,
    })
  }
}

/** What a program that ends by itself says on its standard output. @throws Fault "unavailable", with what it said instead. */
export function ask(program: string, options: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    const limits = {
      env,
      timeout: ANSWER_WITHIN,
      maxBuffer: ANSWER_BYTES_MAX,
      killSignal: "SIGKILL",
    } as const
    execFile(program, options, limits, (cause, stdout, stderr) => {
      if (cause === null) return resolve(stdout)
      const said = stderr.trim().split("\n").at(-1)?.slice(0, LINE_CHARACTERS_MAX) || messageOf(cause)
      reject(new Fault("unavailable", `${program} does not run: ${said}`, { cause }))
    }).stdin?.end()
  })
}

/** Where `name` is on the PATH of `env`; null: nowhere. */
export async function findExecutable(name: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  for (const folder of (env.PATH ?? "").split(delimiter)) {
    const path = join(folder, name)
    if (folder !== "" && (await isExecutable(path))) return path
  }
  return null
}

export function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

function endingOf(child: CameraChild): Promise<string> {
  return new Promise((resolve) => {
    let failure: string | null = null
    child.on("error", (error) => {
      // Also when a signal cannot be sent; a process that runs ends by itself then.
      if (child.pid === undefined) failure = `it did not start: ${messageOf(error)}`
    })
    child.on("close", (code, signal) => resolve(failure ?? signal ?? `exit ${code}`))
  })
}

const running = new Set<ChildProcess>()

function keepFromOutlivingUs(child: ChildProcess): void {
  if (running.size === 0) process.on("exit", killAll)
  running.add(child)
  const gone = () => {
    if (running.delete(child) && running.size === 0) process.off("exit", killAll)
  }
  child.once("exit", gone)
  child.once("error", gone)
}

function killAll(): void {
  for (const child of running) child.kill("SIGKILL")
}
