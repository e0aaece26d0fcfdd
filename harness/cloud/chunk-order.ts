import { decodeChunk, type FromCamera } from "../../firmware/control/protocol.ts"
import { isFault } from "../../firmware/errors.ts"
import { type Bytes, MiB, type Milliseconds } from "../../firmware/units.ts"
import type { Ingest } from "./ingest.ts"

/** Held back, of all cameras. What comes beyond is passed on as it is: the ingest then asks for it again. */
const HELD_BYTES_MAX: Bytes = 32 * MiB
/** A chunk may be of one byte and still costs an entry and a timer. */
const HELD_CHUNKS_MAX = 4_096
/** They are looked through at each message of their camera. No camera of ours runs so far ahead. */
const HELD_CHUNKS_OF_ONE_MAX = 256
/** Connections to one broker do not lie further apart; what is missing for longer is not coming. */
const HELD_FOR: Milliseconds = 300

interface Early {
  readonly payload: Buffer
  readonly id: string
  readonly offset: Bytes
  readonly timer: NodeJS.Timeout
}

/**
 * Puts back in order what connections of one shared subscription bring out of it: the ingest wants an object's chunks one
 * after another and its manifest before them, but a connection may bring the second before another has brought the first.
 */
export class ChunkOrder {
  readonly #ingest: Pick<Ingest, "take" | "expects">
  readonly #early = new Map<string, Set<Early>>()
  #bytes: Bytes = 0
  #chunks = 0

  constructor(ingest: Pick<Ingest, "take" | "expects">) {
    this.#ingest = ingest
  }

  take(device: string, name: FromCamera, payload: Buffer): void {
    const early = name === "chunk" ? this.#earlyOf(device, payload) : null
    if (early === null) {
      this.#ingest.take(device, name, payload)
      this.#passOn(device)
    } else {
      const held = this.#early.get(device) ?? new Set()
      this.#early.set(device, held.add(early))
      this.#bytes += payload.length
      this.#chunks++
    }
  }

  /** What is held back is dropped: nobody was told that it came. */
  close(): void {
    for (const [device, held] of this.#early) for (const early of held) this.#forget(device, early)
  }

  /** null: its turn has come, or it is no chunk, or there is no room. */
  #earlyOf(device: string, payload: Buffer): Early | null {
    if (this.#bytes + payload.length > HELD_BYTES_MAX || this.#chunks >= HELD_CHUNKS_MAX) return null
    if ((this.#early.get(device)?.size ?? 0) >= HELD_CHUNKS_OF_ONE_MAX) return null
    const place = placeOf(payload)
    if (place === null || this.#isTurnOf(device, place)) return null
    const give = () => {
      this.#forget(device, early)
      this.#ingest.take(device, "chunk", payload)
      this.#passOn(device)
    }
    const early: Early = { ...place, payload, timer: setTimeout(give, HELD_FOR) }
    return early
  }

  #isTurnOf(device: string, { id, offset }: Pick<Early, "id" | "offset">): boolean {
    const expected = this.#ingest.expects(device, id)
    return expected !== null && offset <= expected
  }

  /** Those that were waiting for what has just come. */
  #passOn(device: string): void {
    for (;;) {
      const held = this.#early.get(device) ?? []
      const next = [...held].find((early) => this.#isTurnOf(device, early))
      if (!next) return
      this.#forget(device, next)
      this.#ingest.take(device, "chunk", next.payload)
    }
  }

  #forget(device: string, early: Early): void {
    clearTimeout(early.timer)
    const held = this.#early.get(device)
    if (!held?.delete(early)) return
    this.#bytes -= early.payload.length
    this.#chunks--
    if (held.size === 0) this.#early.delete(device)
  }
}

function placeOf(payload: Buffer): { readonly id: string; readonly offset: Bytes } | null {
  try {
    const { id, offset } = decodeChunk(payload)
    return { id, offset }
  } catch (error) {
    if (isFault(error, "malformed")) return null
    throw error
  }
}
