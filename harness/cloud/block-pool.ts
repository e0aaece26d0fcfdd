import { type Bytes, KiB, MiB } from "../../firmware/units.ts"

/** Segments are padded in steps of as much, so little of an object is left over after its last whole block. */
const BLOCK_BYTES: Bytes = 32 * KiB
/** Beyond this what is given back goes to the collector: a rush must not weigh for ever. */
const FREE_BYTES_MAX: Bytes = 64 * MiB

/**
 * Memory for what has come and is not yet durable. The same blocks serve again and again: memory that lives as long as
 * a sync takes is old by the collector's measure, and for every 64 MB of it the collector goes through the whole heap.
 */
export class BlockPool {
  readonly #free: Buffer[] = []

  /** Appends a copy of `data` to `blocks`, which are to hold `size` bytes in all and hold `held` now. */
  append(blocks: Buffer[], size: Bytes, held: Bytes, data: Uint8Array): void {
    for (let taken = 0; taken < data.length; ) {
      const at = held + taken
      const offset = at % BLOCK_BYTES
      if (offset === 0) blocks.push(this.#block(size - at))
      const block = blocks.at(-1)
      if (!block) return
      const length = Math.min(data.length - taken, block.length - offset)
      block.set(length === data.length ? data : data.subarray(taken, taken + length), offset)
      taken += length
    }
  }

  /** Nobody looks at `blocks` any more. */
  giveBack(blocks: readonly Buffer[]): void {
    for (const block of blocks)
      if (block.length === BLOCK_BYTES && this.#free.length < FREE_BYTES_MAX / BLOCK_BYTES)
        this.#free.push(block)
  }

  /** No larger than what is still to come, so that an object never takes more than its size. */
  #block(left: Bytes): Buffer {
    return (
      (left >= BLOCK_BYTES ? this.#free.pop() : null) ?? Buffer.allocUnsafeSlow(Math.min(left, BLOCK_BYTES))
    )
  }
}
