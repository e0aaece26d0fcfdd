/** For parts that may hang: nobody waits for them longer than a signal allows. */

/** null when `signal` aborts first. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const giveUp = () => resolve(null)
    if (signal.aborted) giveUp()
    signal.addEventListener("abort", giveUp, { once: true })
    const done = () => signal.removeEventListener("abort", giveUp)
    promise.then(
      (value) => {
        done()
        resolve(value)
      },
      (error: unknown) => {
        done()
        reject(error)
      },
    )
  })
}

/** What `source` gives until `signal` aborts, even if it does not heed it. */
export async function* untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const iterator = source[Symbol.asyncIterator]()
  let hangs = false
  try {
    while (!signal.aborted) {
      const next = await unlessAborted(iterator.next(), signal)
      hangs = next === null
      if (next === null || next.done) return
      yield next.value
    }
  } finally {
    // A source that hangs would hang here, too.
    const ended = iterator.return?.()
    if (hangs) ended?.catch(() => undefined)
    else await ended
  }
}
