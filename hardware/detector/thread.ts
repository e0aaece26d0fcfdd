import { Worker } from "node:worker_threads"
import { Fault, messageOf } from "../../firmware/errors.ts"
import type { Clock, Log } from "../../firmware/ports.ts"
import { unlessAborted } from "../../firmware/recognise/unless-aborted.ts"
import { type Milliseconds, minutes, seconds } from "../../firmware/units.ts"
import { type FromThread, faultOf } from "./thread-messages.ts"

/** A program for a thread. */
export interface ThreadFile {
  readonly file: string | URL
  /** What node needs to run it. */
  readonly execArgv?: readonly string[]
}

export interface ThreadOptions {
  /** For the log. */
  readonly name: string
  readonly program: ThreadFile
  /** What it is started with. */
  readonly data: unknown
  /** Looked at before each start. Throws Fault "unavailable" when it is no use to try now. */
  readonly mayStart?: () => void
  readonly startWithin: Milliseconds
  readonly answerWithin: Milliseconds
  readonly clock: Clock
  readonly log: Log
}

const RETRY_FIRST: Milliseconds = seconds(1)
const RETRY_MAX: Milliseconds = minutes(5)
/** JavaScript's own memory; what a runtime takes beside it is looked at before it starts. */
const HEAP_MIB = 192

/**
 * A thread that answers questions, one at a time; others wait in their order. One that crashes, or is silent for too long,
 * is ended: who had asked hears Fault "unavailable", and the next to ask after a pause (1 s, doubling to 5 min, anew
 * after an answer) starts another. Nothing of this ever blocks whoever asks.
 */
export class Thread<Facts, Question, Answer> {
  readonly #options: ThreadOptions
  #running: Promise<Running<Facts, Answer>> | null = null
  /** The same, also while it is not ready. */
  #life: Running<Facts, Answer> | null = null
  #turn: Promise<void> = Promise.resolve()
  #pause: Milliseconds = RETRY_FIRST
  #notBefore: Milliseconds = Number.NEGATIVE_INFINITY
  #why = ""
  #closed = false

  constructor(options: ThreadOptions) {
    this.#options = options
  }

  /** Starts it, if it does not run. @throws Fault: what it said, or "unavailable", indefinite: it may at another time. */
  async facts(): Promise<Facts> {
    return (await this.#start()).facts
  }

  /**
   * @param transfer Buffers of the question that are given away.
   * @throws Fault: what it answered; "unavailable", indefinite: it crashed or hung, it is about to start again, or
   *         `signal` aborted, when the answer is still waited for, by nobody.
   */
  async ask(question: Question, transfer: readonly ArrayBuffer[], signal: AbortSignal): Promise<Answer> {
    const before = this.#turn
    let done: () => void = () => undefined
    this.#turn = new Promise((resolve) => {
      done = resolve
    })
    try {
      await whileWanted(before, signal)
    } catch (error) {
      before.then(done, done)
      throw error
    }
    const answer = this.#ask(question, transfer)
    answer.then(done, done)
    return whileWanted(answer, signal)
  }

  /** Ends it; what is asked hears Fault "unavailable". */
  async close(): Promise<void> {
    this.#closed = true
    await this.#life?.end("it was closed")
  }

  async #ask(question: Question, transfer: readonly ArrayBuffer[]): Promise<Answer> {
    const running = await this.#start()
    const { clock, answerWithin } = this.#options
    const cancel = clock.after(
      answerWithin,
      () => void running.end(`it was silent for ${answerWithin / 1_000} s`),
    )
    try {
      const answer = await running.ask(question, transfer)
      this.#pause = RETRY_FIRST
      return answer
    } finally {
      cancel()
    }
  }

  #start(): Promise<Running<Facts, Answer>> {
    this.#running ??= this.#open().catch((error: unknown) => {
      this.#running = null
      throw error
    })
    return this.#running
  }

  async #open(): Promise<Running<Facts, Answer>> {
    const { name, clock, startWithin, mayStart } = this.#options
    if (this.#closed) throw new Fault("unavailable", `${name}: it was closed`)
    const wait = this.#notBefore - clock.monotonic()
    if (wait > 0) {
      const again = `${name}: ${this.#why}; again in ${Math.ceil(wait / 1_000)} s`
      throw new Fault("unavailable", again, { definite: false })
    }
    try {
      mayStart?.()
    } catch (error) {
      this.#failed(messageOf(error))
      throw error
    }
    const running = new Running<Facts, Answer>(this.#options, (why) => {
      this.#running = null
      if (!this.#closed) this.#failed(why)
    })
    this.#life = running
    const cancel = clock.after(
      startWithin,
      () => void running.end(`it did not start in ${startWithin / 1_000} s`),
    )
    try {
      return await running.ready()
    } catch (error) {
      // What it said itself, such as of a file that is no model, is no crash; but it would say so again.
      this.#why = messageOf(error)
      this.#notBefore = clock.monotonic() + this.#pause
      await running.end(null)
      throw error
    } finally {
      cancel()
    }
  }

  #failed(why: string): void {
    const { name, clock, log } = this.#options
    this.#why = why
    this.#notBefore = clock.monotonic() + this.#pause
    log.write({ event: "helper restarted", helper: name, reason: why, againIn: this.#pause })
    this.#pause = Math.min(RETRY_MAX, this.#pause * 2)
  }
}

/** One life of a thread. */
class Running<Facts, Answer> {
  readonly #name: string
  readonly #worker: Worker
  readonly #onDeath: (why: string) => void
  #waiting: { resolve: (message: FromThread<Facts, Answer>) => void; reject: (error: Fault) => void } | null =
    null
  #facts: { readonly said: Facts } | null = null
  /** Why it ended; null: it lives. */
  #dead: string | null = null

  constructor({ name, program, data }: ThreadOptions, onDeath: (why: string) => void) {
    this.#name = name
    this.#onDeath = onDeath
    this.#worker = new Worker(program.file, {
      workerData: data,
      execArgv: [...(program.execArgv ?? [])],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    })
    // A camera that has nothing else to do may end.
    this.#worker.unref()
    this.#worker.on("message", (message: FromThread<Facts, Answer>) => {
      const waiting = this.#waiting
      this.#waiting = null
      waiting?.resolve(message)
    })
    this.#worker.on("messageerror", () => this.#die("what it said could not be read"))
    this.#worker.on("error", (error) => this.#die(`it crashed (${messageOf(error).split("\n")[0] ?? ""})`))
    this.#worker.on("exit", () => this.#die("it ended"))
  }

  get facts(): Facts {
    if (this.#facts === null) throw new Fault("broken", `${this.#name}: asked before it was ready`)
    return this.#facts.said
  }

  async ready(): Promise<this> {
    const message = await this.#next()
    if (message.kind === "fault") throw faultOf(message.fault)
    if (message.kind === "answer") throw new Fault("broken", `${this.#name}: answers before it is asked`)
    this.#facts = { said: message.facts }
    return this
  }

  async ask(question: unknown, transfer: readonly ArrayBuffer[]): Promise<Answer> {
    const next = this.#next()
    if (this.#dead === null) this.#worker.postMessage(question, transfer)
    const message = await next
    if (message.kind === "fault") throw faultOf(message.fault)
    if (message.kind === "ready") throw new Fault("broken", `${this.#name}: ready twice`)
    return message.answer
  }

  /** `why` null: in order. Resolves when it is gone. */
  async end(why: string | null): Promise<void> {
    if (why !== null) this.#die(why)
    else this.#dead ??= "it ended"
    await this.#worker.terminate()
  }

  #next(): Promise<FromThread<Facts, Answer>> {
    // Referenced while somebody waits.
    this.#worker.ref()
    return new Promise<FromThread<Facts, Answer>>((resolve, reject) => {
      this.#waiting = { resolve, reject }
      if (this.#dead !== null) reject(this.#fault(this.#dead))
    }).finally(() => this.#worker.unref())
  }

  #die(why: string): void {
    if (this.#dead !== null) return
    this.#dead = why
    this.#waiting?.reject(this.#fault(why))
    this.#waiting = null
    this.#onDeath(why)
  }

  #fault(why: string): Fault {
    return new Fault("unavailable", `${this.#name}: ${why}`, { definite: false })
  }
}

/** Whoever gives up hears of the answer no more. */
async function whileWanted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  const heard = await unlessAborted(
    answer.then((said) => ({ said })),
    signal,
  )
  if (heard) return heard.said
  throw new Fault("unavailable", "nobody waits for it any more", { definite: false })
}
