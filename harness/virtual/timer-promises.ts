import type { VirtualTimer } from "./timer.ts"

interface Timers {
  readonly setTimeout: (callback: () => void, delay?: unknown) => VirtualTimer
  readonly setInterval: (callback: () => void, delay?: unknown) => VirtualTimer
  readonly clearTimeout: (timer: unknown) => void
  readonly setImmediate: (callback: () => void) => NodeJS.Immediate
  readonly clearImmediate: (immediate: NodeJS.Immediate) => void
}

interface Options {
  readonly signal?: AbortSignal | undefined
}

/** `node:timers/promises` on `timers`. */
export function timerPromises(timers: Timers) {
  const after = <T>(value: T, { signal }: Options, start: (done: () => void) => () => void): Promise<T> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(aborted(signal))
      const abort = () => {
        cancel()
        reject(aborted(signal))
      }
      const cancel = start(() => {
        signal?.removeEventListener("abort", abort)
        resolve(value)
      })
      signal?.addEventListener("abort", abort, { once: true })
    })

  const setTimeout = <T>(delay?: number, value?: T, options: Options = {}): Promise<T | undefined> =>
    after(value, options, (done) => {
      const timer = timers.setTimeout(done, delay)
      return () => timers.clearTimeout(timer)
    })

  const setImmediate = <T>(value?: T, options: Options = {}): Promise<T | undefined> =>
    after(value, options, (done) => {
      const immediate = timers.setImmediate(done)
      return () => timers.clearImmediate(immediate)
    })

  async function* setInterval<T>(delay?: number, value?: T, { signal }: Options = {}) {
    let due = 0
    let wake: () => void = () => undefined
    const tick = () => {
      due++
      wake()
    }
    const timer = timers.setInterval(tick, delay)
    const abort = () => wake()
    signal?.addEventListener("abort", abort, { once: true })
    try {
      for (;;) {
        if (signal?.aborted) throw aborted(signal)
        if (due === 0)
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        for (; due > 0 && !signal?.aborted; due--) yield value
      }
    } finally {
      timers.clearTimeout(timer)
      signal?.removeEventListener("abort", abort)
    }
  }

  const scheduler = {
    wait: (delay: number, options?: Options) => setTimeout(delay, undefined, options),
    yield: () => setImmediate(),
  }
  return { setTimeout, setImmediate, setInterval, scheduler }
}

function aborted(signal: AbortSignal | undefined): Error {
  const error = new Error("The operation was aborted", { cause: signal?.reason })
  return Object.assign(error, { name: "AbortError", code: "ABORT_ERR" })
}
