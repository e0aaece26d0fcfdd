/** Resolves when `signal` aborts, or, so as to leave nothing behind, when `over` does. */
export function aborted(signal: AbortSignal, over?: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(undefined)
    const leave = () => {
      signal.removeEventListener("abort", leave)
      over?.removeEventListener("abort", leave)
      resolve(undefined)
    }
    signal.addEventListener("abort", leave)
    over?.addEventListener("abort", leave)
  })
}

export interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (cause: unknown) => void
}

/** A promise with its two ends (`Promise.withResolvers` came after Node 20). */
export function deferred<T = void>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined
  let reject: (cause: unknown) => void = () => undefined
  const promise = new Promise<T>((keep, breakIt) => {
    resolve = keep
    reject = breakIt
  })
  return { promise, resolve, reject }
}
