import type { Fault } from "../../firmware/errors.ts"
import type { Piece } from "../../firmware/ports.ts"
import { type Bytes, MiB } from "../../firmware/units.ts"

/** About four seconds of video at the default rate: longer than any pause of a process that is still of use. */
const FULL: Bytes = 1 * MiB

/** Pieces between a pipe that gives when it likes and a consumer that takes when it can. */
export class PieceQueue {
  readonly #onRoom: () => void
  #waiting: Piece[] = []
  #bytes: Bytes = 0
  #closed = false
  #fault: Fault | null = null
  #wake: () => void = () => undefined

  /** `onRoom` is called when the queue was full and is no more. */
  constructor(onRoom: () => void) {
    this.#onRoom = onRoom
  }

  /** Whoever puts stops for a while: a full queue takes what was on its way, but grows. */
  get full(): boolean {
    return this.#bytes >= FULL
  }

  put(piece: Piece): void {
    if (this.#closed) return
    this.#waiting.push(piece)
    this.#bytes += piece.bytes.length
    this.#wake()
  }

  /** Nothing comes any more; the first reason counts. What waits is still taken. */
  close(fault: Fault): void {
    this.#closed = true
    this.#fault ??= fault
    this.#wake()
  }

  /** Until `signal` aborts. @throws the Fault that the queue was closed with. */
  async *take(signal: AbortSignal): AsyncGenerator<Piece> {
    const wake = () => this.#wake()
    signal.addEventListener("abort", wake)
    try {
      while (!signal.aborted) {
        const piece = this.#waiting.shift()
        if (piece) {
          const wasFull = this.full
          this.#bytes -= piece.bytes.length
          if (wasFull && !this.full) this.#onRoom()
          yield piece
        } else if (this.#fault) throw this.#fault
        else
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
      }
    } finally {
      signal.removeEventListener("abort", wake)
      this.#closed = true
      this.#waiting = []
    }
  }
}
