/**
 * One waiting room: those who wait are woken together, and look for themselves whether there is work.
 * A promise is made only when somebody waits.
 */
export class WakeUp {
  #waiting: { promise: Promise<void>; resolve: () => void } | null = null

  /** Resolves at the next `wake`, or when `signal` aborts. */
  async wait(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return
    const room = this.#waiting ?? this.#open()
    if (!signal) return room.promise
    const wake = () => this.wake()
    signal.addEventListener("abort", wake, { once: true })
    await room.promise
    signal.removeEventListener("abort", wake)
  }

  wake(): void {
    this.#waiting?.resolve()
    this.#waiting = null
  }

  #open(): { promise: Promise<void>; resolve: () => void } {
    let resolve: () => void = () => undefined
    const promise = new Promise<void>((done) => {
      resolve = done
    })
    this.#waiting = { promise, resolve }
    return this.#waiting
  }
}
