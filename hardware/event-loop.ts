/**
 * Resolves when this process has heard of every input, and of every child's end, that was there when it was called. The
 * kernel tells of them at once, but they are heard where the event loop looks for input: between two turns of
 * `setImmediate` it does.
 */
export async function inputHeard(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
}
