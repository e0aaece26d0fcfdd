import type { Bytes } from "../units.ts"

export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** The views that make up one chunk, in order. */
export interface Chunk {
  readonly parts: readonly Uint8Array[]
  readonly last: boolean
}

/**
 * Cuts a stream of pieces into chunks of exactly `chunkBytes`, the last one shorter or full, never empty unless the
 * stream is. A chunk leaves only when it is known whether more follows, so the source runs up to one piece ahead.
 * Nothing is copied: the source gives its pieces away and must not change them.
 */
export async function* rechunk(
  source: ByteSource,
  chunkBytes: Bytes,
): AsyncGenerator<Chunk, void, undefined> {
  let parts: Uint8Array[] = []
  let held = 0
  for await (const piece of source) {
    for (let at = 0; at < piece.length; ) {
      if (held === chunkBytes) {
        yield { parts, last: false }
        parts = []
        held = 0
      }
      const part = piece.subarray(at, at + chunkBytes - held)
      parts.push(part)
      held += part.length
      at += part.length
    }
  }
  yield { parts, last: true }
}
