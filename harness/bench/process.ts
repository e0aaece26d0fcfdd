import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { Fault } from "../../firmware/errors.ts"
import type { Seconds } from "../../firmware/units.ts"
import type { WorkName } from "./worker.ts"

export type Answer = { readonly value: unknown } | { readonly error: string }

/**
 * A fresh process that does one kind of work, so that no measurement inherits another's heap, compiled code or sockets.
 * Its questions are answered one after another.
 */
export class BenchProcess {
  readonly #child: ChildProcess
  readonly #name: WorkName
  #latest: Promise<unknown> = Promise.resolve()

  private constructor(child: ChildProcess, name: WorkName) {
    this.#child = child
    this.#name = name
  }

  static async start(name: WorkName, options: object = {}): Promise<BenchProcess> {
    const child = fork(new URL("./worker.ts", import.meta.url), [name, JSON.stringify(options)], {
      execArgv: ["--import", import.meta.resolve("tsx"), "--expose-gc"],
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
  const process = await BenchProcess.start(name, options)
  try {
    return await measure(process)
  } finally {
    await process.end()
  }
}
