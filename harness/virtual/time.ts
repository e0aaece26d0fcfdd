import { Fault } from "../../firmware/errors.ts"
import type { Milliseconds, UnixMilliseconds } from "../../firmware/units.ts"
import { VirtualTimer } from "./timer.ts"
import { TimerHeap } from "./timer-heap.ts"

/** The process's own, from before anything was replaced. */
const real = { setImmediate: globalThis.setImmediate }

/** When virtual time begins, by the calendar: a fixed day, so that no run depends on its own. */
const EPOCH: UnixMilliseconds = Date.UTC(2026, 0, 1)
/** More turns of the event loop in one instant than any honest work takes. */
const TURNS_MAX = 1_000_000

/**
 * A clock that stands still until it is told to go on, and all timers of the process on it. Each instant that has a
 * timer is one turn of the real event loop: its timers run in the order in which they were set, each followed by its
 * ticks and promises, as in Node. Time goes on when nothing is left to do in this instant: no immediate that was asked
 * for and no job of the thread pool that was counted (`busyWhile`).
 */
export class VirtualTime {
  readonly #timers = new TimerHeap()
  #now: Milliseconds = 0
  #order = 0
  #ids = 0
  #busy = 0
  #running = false

  /** Since virtual time began; a whole number. */
  get now(): Milliseconds {
    return this.#now
  }

  get unixNow(): UnixMilliseconds {
    return EPOCH + this.#now
  }

  /** Lets `duration` pass, and all that happens in it happen. Fault "usage" when time is passing already. */
  async advance(duration: Milliseconds): Promise<void> {
    await this.#run(this.#now + Math.max(0, Math.floor(duration)), () => false)
  }

  /** Lets time pass until `done` says so, asked after each instant; at most `within`. Resolves with its last answer. */
  async advanceUntil(done: () => boolean, within: Milliseconds): Promise<boolean> {
    return this.#run(this.#now + Math.max(0, Math.floor(within)), done)
  }

  /** Lets time pass until `promise` settles. Rejects as it does, or with Fault "unavailable" after `within`. */
  async settle<T>(promise: Promise<T>, within: Milliseconds): Promise<T> {
    let settled = false
    const note = () => {
      settled = true
    }
    promise.then(note, note)
    if (await this.advanceUntil(() => settled, within)) return promise
    throw new Fault("unavailable", `still waiting after ${within} ms of virtual time`)
  }

  /** Time stands still until `work`, which is real, is done: a job of the thread pool, say. */
  async busyWhile<T>(work: Promise<T>): Promise<T> {
    this.#busy++
    try {
      return await work
    } finally {
      this.#busy--
    }
  }

  // For the replaced globals

  setTimer(
    callback: (...args: unknown[]) => unknown,
    delay: unknown,
    args: readonly unknown[],
    repeats: boolean,
  ) {
    const timer = new VirtualTimer(this, ++this.#ids, callback, delay, args, repeats)
    this.arm(timer)
    return timer
  }

  /** From now on, and after all that is set for the same instant already. */
  arm(timer: VirtualTimer): void {
    timer.at = this.#now + timer.delay
    timer.order = ++this.#order
    this.#timers.put(timer)
  }

  /** An immediate was asked for; the returned function says that it ran or will not. */
  holdImmediate(): () => void {
    this.#busy++
    return () => {
      this.#busy--
    }
  }

  #run(until: Milliseconds, done: () => boolean): Promise<boolean> {
    if (this.#running)
      return Promise.reject(new Fault("usage", "virtual time is passing already: await the last call"))
    this.#running = true
    return new Promise((resolve, reject) => {
      let turns = 0
      const finish = (settle: () => void) => {
        this.#running = false
        settle()
      }
      const turn = () => {
        if (this.#busy > 0) {
          if (++turns <= TURNS_MAX) real.setImmediate(turn)
          else
            finish(() =>
              reject(new Fault("broken", `virtual time stands at ${this.#now} ms: work without end`)),
            )
          return
        }
        turns = 0
        if (done()) return finish(() => resolve(true))
        const next = this.#timers.next()
        if (next === null || next > until) {
          this.#now = until
          return finish(() => resolve(done()))
        }
        this.#now = next
        for (let timer = this.#timers.take(next); timer !== null; timer = this.#timers.take(next))
          real.setImmediate(fire, timer)
        real.setImmediate(turn)
      }
      // What the caller began runs first.
      real.setImmediate(turn)
    })
  }
}

function fire(timer: VirtualTimer): void {
  timer.fire()
}
