import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import { seconds } from "../../firmware/units.ts"
import type { CpuSplit } from "./cpu-split.ts"
import type { Failed, Usage } from "./messages.ts"

interface Message {
  readonly kind: string
}

type Of<M extends Message, K extends M["kind"]> = Extract<M, { readonly kind: K }>

/** Node 20 runs no TypeScript. */
const TYPESCRIPT = new URL("../typescript/register.js", import.meta.url).href
const END_WITHIN = seconds(5)

/**
 * The parent's end of a process of our own. It dies with the parent. When it dies by itself, all that waits for it
 * rejects with Fault "unavailable".
 */
export class Child<Out extends Message, In extends Message> {
  readonly #name: string
  readonly #process: ChildProcess
  readonly #listeners = new Map<string, (message: In) => void>()
  readonly #death: Promise<never>
  #ending = false

  /** `module`: URL of the TypeScript file to run. `first`: URLs of what runs in it before that. */
  constructor(name: string, module: URL, first: readonly string[] = []) {
    this.#name = name
    this.#process = fork(fileURLToPath(module), {
      execArgv: [TYPESCRIPT, ...first].flatMap((url) => ["--import", url]),
      serialization: "advanced",
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    })
    this.#death = new Promise((_, reject) => {
      this.#process.once("error", (cause) => reject(this.#fault(messageOf(cause), cause)))
      this.#process.once("exit", (code, signal) => {
        reject(this.#fault(`ended too soon (${signal ?? `exit code ${code}`})`))
      })
      this.#process.on("message", (message: In | Failed) => {
        if (message.kind === "failed") reject(this.#fault((message as Failed).reason))
        else this.#listeners.get(message.kind)?.(message as In)
      })
    })
    // Whoever waits hears of it; at an ordinary end nobody does.
    this.#death.catch(() => undefined)
  }

  /** Of the process; null: there is none. */
  get id(): number | null {
    return this.#process.pid ?? null
  }

  /** Rejects when the process dies. */
  get death(): Promise<never> {
    return this.#death
  }

  send(message: Out): void {
    // What does not arrive has died, and that is said by `death`.
    if (this.#process.connected) this.#process.send(message, () => undefined)
  }

  on<K extends In["kind"]>(kind: K, listener: (message: Of<In, K>) => void): void {
    this.#listeners.set(kind, listener as (message: In) => void)
  }

  /** The next message of this kind. */
  next<K extends In["kind"]>(kind: K): Promise<Of<In, K>> {
    return Promise.race([new Promise<Of<In, K>>((resolve) => this.on(kind, resolve)), this.#death])
  }

  /** As a power cut would: at once, without a word. Resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    this.#ending = true
    const gone = new Promise<void>((resolve) => this.#process.once("exit", () => resolve()))
    this.#process.kill("SIGKILL")
    await gone
  }

  /** Lets it go; resolves when it is gone. */
  async end(): Promise<void> {
    if (this.#ending || this.#process.exitCode !== null || this.#process.signalCode !== null) return
    this.#ending = true
    const gone = new Promise<void>((resolve) => this.#process.once("exit", () => resolve()))
    const kill = setTimeout(() => this.#process.kill("SIGKILL"), END_WITHIN)
    if (this.#process.connected) this.#process.disconnect()
    await gone
    clearTimeout(kill)
  }

  #fault(why: string, cause?: unknown): Fault {
    return new Fault("unavailable", `the ${this.#name} process ${why}`, cause === undefined ? {} : { cause })
  }
}

/**
 * The child's end: hands messages to `onMessage` one by one as they come, and ends with its parent. Ctrl-C reaches a
 * whole terminal's processes; what it means is the parent's to say.
 */
export function serve<In extends Message, Out extends Message>(
  onMessage: (message: In, send: (message: Out) => void) => Promise<void>,
): void {
  const send = (message: Out | Failed) => {
    if (process.connected) process.send?.(message)
  }
  process.on("SIGINT", () => undefined)
  process.on("disconnect", () => process.exit(0))
  const fail = (error: unknown) => {
    // A mistake of ours: its stack belongs in a bug report.
    if (!isFault(error)) console.error(error)
    if (!process.connected || !process.send) process.exit(3)
    process.send({ kind: "failed", reason: `failed: ${messageOf(error)}` }, () => process.exit(3))
  }
  process.on("uncaughtException", fail)
  process.on("unhandledRejection", fail)
  process.on("message", (message: In) => {
    onMessage(message, send).catch(fail)
  })
}

/** Measures this process from now on; `split` says which part of its time is whose. */
export function usageFromNow(split?: CpuSplit): () => Usage {
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return {
      cpuSeconds: (user + system) / 1_000_000,
      memoryMiB: process.resourceUsage().maxRSS / 1_024,
      share: split?.share ?? null,
    }
  }
}
