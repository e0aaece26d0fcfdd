import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { Fault } from "../../firmware/errors.ts"
import type { Bytes, Seconds } from "../../firmware/units.ts"
import type { WorkName } from "./worker.ts"

export type Answer = { readonly value: unknown } | { readonly error: string }

const WORKER = new URL("./worker.ts", import.meta.url)

/** Works that are weighed: what lies in the young generation says nothing of what they keep. */
const WEIGHED: ReadonlySet<string> = new Set(["weighed-idle", "weighed-clients"])

/**
 * A fresh process that does one kind of work, so that no measurement inherits another's heap, compiled code or sockets.
 * Its questions are answered one after another.
 */
export class BenchProcess {
  readonly #child: ChildProcess
  readonly #name: string
  #latest: Promise<unknown> = Promise.resolve()

  private constructor(child: ChildProcess, name: string) {
    this.#child = child
    this.#name = name
  }

  /** `worker` is a module that calls `serveWork` with a table in which `name` is. */
  static async start(name: string, options: object, worker: URL): Promise<BenchProcess> {
    const young = WEIGHED.has(name) ? ["--max-semi-space-size=1"] : []
    const child = fork(worker, [name, JSON.stringify(options)], {
      execArgv: ["--import", import.meta.resolve("../typescript/register.js"), "--expose-gc", ...young],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    })
    const started = new BenchProcess(child, name)
    await started.#answer()
    return started
  }

  ask<T>(question: string, argument: unknown = null): Promise<T> {
    const answer = this.#latest.then(() => {
      this.#child.send({ question, argument })
      return this.#answer()
    })
    this.#latest = answer.catch(() => undefined)
    return answer as Promise<T>
  }

  /** Processor time since the process began, user and system, all threads. */
  cpu(): Promise<Seconds> {
    return this.ask<Seconds>("cpu")
  }

  /** The most that was ever resident. */
  peak(): Promise<Bytes> {
    return this.ask<Bytes>("peak")
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const exited = once(this.#child, "exit")
    this.#child.disconnect()
    await exited
  }

  #answer(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const settle = () => this.#child.off("message", onMessage).off("exit", onExit)
      const onMessage = (answer: Answer) => {
        settle()
        if ("error" in answer) reject(new Fault("broken", `bench process ${this.#name}: ${answer.error}`))
        else resolve(answer.value)
      }
      const onExit = (code: number | null) => {
        settle()
        reject(new Fault("broken", `bench process ${this.#name} ended by itself (${code})`))
      }
      this.#child.on("message", onMessage).on("exit", onExit)
    })
  }
}

/** Runs `measure` with a process that ends with it, also when it fails. */
export async function withProcess<T>(
  name: WorkName,
  options: object,
  measure: (process: BenchProcess) => Promise<T>,
): Promise<T> {
  return withWorker(WORKER, name, options, measure)
}

/** The same with works of another folder. */
export async function withWorker<T>(
  worker: URL,
  name: string,
  options: object,
  measure: (process: BenchProcess) => Promise<T>,
): Promise<T> {
  const process = await BenchProcess.start(name, options, worker)
  try {
    return await measure(process)
  } finally {
    await process.end()
  }
}
