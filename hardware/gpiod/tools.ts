import { type ChildProcessByStdio, spawn } from "node:child_process"
import type { Readable } from "node:stream"
import { Fault, messageOf } from "../../firmware/errors.ts"
import type { Clock } from "../../firmware/ports.ts"
import { type Bytes, KiB, type Milliseconds } from "../../firmware/units.ts"
import { eachLine } from "../lines.ts"

/**
 * Debian's gpiod command-line tools as processes: one that answers and ends (`run`), one that holds lines until it is
 * stopped (`hold`). Always a fixed list of arguments, never a shell; messages in English, for they are read.
 */

export type ToolName = "gpiodetect" | "gpioinfo" | "gpioget" | "gpiomon" | "gpioset"

/** How a tool ended. */
export interface ToolEnd {
  /** true: it ended by itself and said why. false: a signal ended it, or it was stopped. */
  readonly answered: boolean
  readonly ok: boolean
  /** Its last words on standard error, or what became of it. */
  readonly reason: string
}

export interface HeldTool {
  /** The process is gone, and its lines with it, as far as this process has heard: see `inputHeard`. */
  isGone(): boolean
  readonly ended: Promise<ToolEnd>
  /** Resolves once the process is gone, and its lines with it. Stopping twice is harmless. */
  stop(): Promise<void>
}

/** A tool that asks the kernel one thing answers at once, or the machine is in trouble. */
const ANSWER_WITHIN: Milliseconds = 5_000
/** Between INT, TERM and KILL. */
const STOP_STEP: Milliseconds = 2_000
/** gpioinfo says about 70 bytes a line of a chip, and a chip has 58 lines at most. */
const OUTPUT_MAX: Bytes = 64 * KiB

type Child = ChildProcessByStdio<null, Readable, Readable>

/**
 * What runs now. Should this process end without closing its pins, by a thrown error or `process.exit`, they go with it.
 * A SIGKILL leaves no time for that: there systemd ends what is left of the unit (KillMode), and the tools of a camera
 * that was started by hand go on holding their lines until they are ended by hand.
 */
const living = new Set<Child>()
function endAll(): void {
  for (const child of living) child.kill("SIGKILL")
}

export class Tools {
  readonly #env: NodeJS.ProcessEnv
  readonly #clock: Clock

  /** The tools are looked for on the PATH of `env`. */
  constructor(env: NodeJS.ProcessEnv, clock: Clock) {
    this.#env = { ...env, LC_ALL: "C" }
    this.#clock = clock
  }

  /**
   * Runs a tool that answers and ends.
   * @throws Fault "usage" if it is not installed; "unavailable", indefinite, if it does not answer within 5 s.
   */
  async run(name: ToolName, args: readonly string[]): Promise<ToolEnd & { readonly output: string }> {
    let output = ""
    const child = await this.#spawn(name, args)
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(0, OUTPUT_MAX)
    })
    const tool = this.#held(name, child)
    let late = false
    const cancel = this.#clock.after(ANSWER_WITHIN, () => {
      late = true
      child.kill("SIGKILL")
    })
    const end = await tool.ended
    cancel()
    if (late) throw new Fault("unavailable", `${name}: does not answer`, { definite: false })
    return { ...end, output }
  }

  /**
   * Starts a tool that holds lines. `onLine` is told what it prints, line by line.
   * @throws Fault "usage" if it is not installed.
   */
  async hold(
    name: ToolName,
    args: readonly string[],
    onLine: (line: string) => void = () => undefined,
  ): Promise<HeldTool> {
    const child = await this.#spawn(name, args)
    eachLine(child.stdout, onLine)
    return this.#held(name, child)
  }

  #spawn(name: ToolName, args: readonly string[]): Promise<Child> {
    return new Promise((resolve, reject) => {
      // A group of its own: a terminal's Ctrl-C is for the camera, which then puts its outputs low in order.
      const child = spawn(name, args, {
        env: this.#env,
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
      })
      child.once("error", (cause: NodeJS.ErrnoException) => reject(notStarted(name, cause)))
      child.once("spawn", () => {
        if (living.size === 0) process.on("exit", endAll)
        living.add(child)
        resolve(child)
      })
    })
  }

  #held(name: ToolName, child: Child): HeldTool {
    let lastWords = ""
    let stopped = false
    eachLine(child.stderr, (line) => {
      if (line.trim()) lastWords = line.trim()
    })
    const ended = new Promise<ToolEnd>((resolve) => {
      // After "exit", and after the last of what it printed.
      child.once("close", (code, signal) => {
        living.delete(child)
        if (living.size === 0) process.removeListener("exit", endAll)
        const fate = signal ? `${name}: ended by ${signal}` : `${name}: ended with code ${code}`
        resolve({ answered: code !== null && !stopped, ok: code === 0, reason: lastWords || fate })
      })
    })
    const stop = async () => {
      stopped = true
      child.kill("SIGINT")
      const cancels = (["SIGTERM", "SIGKILL"] as const).map((signal, step) =>
        this.#clock.after((step + 1) * STOP_STEP, () => child.kill(signal)),
      )
      await ended
      for (const cancel of cancels) cancel()
    }
    return { isGone: () => child.exitCode !== null || child.signalCode !== null, ended, stop }
  }
}

function notStarted(name: ToolName, cause: NodeJS.ErrnoException): Fault {
  if (cause.code === "ENOENT")
    return new Fault("usage", `${name}: is not installed; install it with: sudo apt install gpiod`, { cause })
  return new Fault("unavailable", `${name}: cannot be started (${messageOf(cause)})`, { cause })
}
