import { Buffer } from "node:buffer"
import type { DecodableUnit } from "../media/annexb.ts"
import { NAL, nalType, START_CODE } from "../media/nal.ts"
import type { Ring } from "../media/ring.ts"
import type { Clock, Frame, Frames, KeyFrameDecoder } from "../ports.ts"
import type { Milliseconds } from "../units.ts"
import { WakeUp } from "../wake.ts"

/** Frames of a lens that gives none: key frames of the pre-roll ring, decoded while somebody reads. */
export function keyFramesOf(ring: Ring, decoder: KeyFrameDecoder, clock: Clock): Frames {
  return {
    async *frames(from, signal): AsyncGenerator<Frame, void, undefined> {
      const stop = new AbortController()
      const end = () => stop.abort()
      signal.addEventListener("abort", end, { once: true })
      if (signal.aborted) end()
      const waiting = new Waiting(clock.monotonic())
      const reading = waiting.readAll(ring.from(from, stop.signal))
      try {
        for (let unit = await waiting.next(); unit && !signal.aborted; unit = await waiting.next()) {
          const frame = await decoder.decode(annexBOf(unit), unit.at, signal)
          if (signal.aborted) return
          yield frame
        }
      } finally {
        signal.removeEventListener("abort", end)
        end()
        await reading
      }
    },
  }
}

/** Key frames on their way to a decoder that may be slow: all of those from before, and of those since the newest. */
class Waiting {
  readonly #asked: Milliseconds
  #units: readonly DecodableUnit[] = []
  #ended = false
  readonly #wakeUp = new WakeUp()

  constructor(asked: Milliseconds) {
    this.#asked = asked
  }

  async readAll(units: AsyncIterable<DecodableUnit>): Promise<void> {
    for await (const unit of units) {
      if (!unit.keyFrame) continue
      this.#units = [...this.#units.filter(({ at }) => at <= this.#asked), unit]
      this.#wakeUp.wake()
    }
    this.#ended = true
    this.#wakeUp.wake()
  }

  /** null: there are no more. */
  async next(): Promise<DecodableUnit | null> {
    while (this.#units.length === 0 && !this.#ended) await this.#wakeUp.wait()
    const [unit = null, ...others] = this.#units
    this.#units = others
    return unit
  }
}

/** With parameter sets in front, whether it has its own or not, and without a delimiter, which would come before them. */
export function annexBOf({ nals, sets }: DecodableUnit): Uint8Array {
  const parts: Uint8Array[] = []
  for (const set of [sets.sps, ...sets.pps]) parts.push(START_CODE, set)
  for (const nal of nals) {
    const type = nalType(nal[0])
    if (type === NAL.sps || type === NAL.pps || type === NAL.delimiter) continue
    parts.push(START_CODE, ...nal)
  }
  return Buffer.concat(parts)
}
