/**
 * One waiting room: those who wait are woken together, and look for themselves whether there is work.
 * There is no room while nobody waits.
 */
export class WakeUp {
  #waiting: Set<() => void> | null = null

  /** Resolves at the next `wake`, or when `signal` aborts. */
  wait(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      this.#waiting ??= new Set()
      const room = this.#waiting
      const leave = () => {
        room.delete(leave)
        signal?.removeEventListener("abort", leave)
        resolve()
      }
      room.add(leave)
      signal?.addEventListener("abort", leave)
    })
  }

  wake(): void {
    const room = this.#waiting
    this.#waiting = null
    if (room) for (const leave of room) leave()
  }
}
