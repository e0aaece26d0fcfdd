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

/**
 * Resolves when this process has heard of every child that has ended by now. The kernel tells of them at once, but they
 * are heard where the event loop looks for input: between two turns of `setImmediate` it does.
 */
export async function exitsHeard(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
}
