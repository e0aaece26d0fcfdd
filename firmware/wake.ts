type Leave = () => void

const NOBODY: readonly Leave[] = []

/**
 * One waiting room: those who wait are woken together, and look for themselves whether there is work.
 * They are one or two, so a list as long as that: a set has room for four, and a camera has a handful of rooms.
 */
export class WakeUp {
  #waiting = NOBODY

  /** Resolves at the next `wake`, or when `signal` aborts. */
  wait(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const leave = () => {
        if (this.#waiting !== NOBODY) this.#waiting = this.#waiting.filter((other) => other !== leave)
        signal?.removeEventListener("abort", leave)
        resolve()
      }
      this.#waiting = this.#waiting.concat(leave)
      signal?.addEventListener("abort", leave)
    })
  }

  wake(): void {
    const room = this.#waiting
    this.#waiting = NOBODY
    for (const leave of room) leave()
  }
}
