import { Fault } from "../../firmware/errors.ts"
import type { Lens, Piece } from "../../firmware/ports.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import { WakeUp } from "../../firmware/wake.ts"

interface Ended {
  readonly reason: string | null
}

/** A lens that gives what it is fed, when it is fed: a real lens's pieces as they come, or those of a trace. */
export class FedLens implements Lens {
  readonly watchMotion?: NonNullable<Lens["watchMotion"]>
  readonly #onAsked: (until: AbortSignal) => void
  readonly #waiting: (Piece | Ended)[] = []
  readonly #fed = new WakeUp()
  #onEdge: ((moving: boolean, at: Milliseconds) => void) | null = null

  /** `onAsked`: the firmware begins to read, until the signal aborts. */
  constructor(options: { readonly watches: boolean; readonly onAsked: (until: AbortSignal) => void }) {
    this.#onAsked = options.onAsked
    if (!options.watches) return
    this.watchMotion = (onEdge) => {
      this.#onEdge = onEdge
      return () => {
        this.#onEdge = null
      }
    }
  }

  give(piece: Piece): void {
    this.#waiting.push(piece)
    this.#fed.wake()
  }

  /** It gives no more, until it is asked again. `reason`: of a fault; null: it just ends. */
  end(reason: string | null): void {
    this.#waiting.push({ reason })
    this.#fed.wake()
  }

  move(moving: boolean, at: Milliseconds): void {
    this.#onEdge?.(moving, at)
  }

  async *pieces(signal: AbortSignal): AsyncGenerator<Piece> {
    const left = new AbortController()
    this.#onAsked(left.signal)
    try {
      while (!signal.aborted) {
        const next = this.#waiting.shift()
        if (next === undefined) await this.#fed.wait(signal)
        else if ("bytes" in next) yield next
        else if (next.reason === null) return
        else throw new Fault("unavailable", next.reason, { definite: false })
      }
    } finally {
      left.abort()
    }
  }
}
