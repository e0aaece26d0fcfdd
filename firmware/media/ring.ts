import type { NalUnit } from "../clip.ts"
import type { MediaFlaw } from "../log.ts"
import type { Piece } from "../ports.ts"
import type { Bytes, FramesPerSecond, Milliseconds } from "../units.ts"
import { AccessUnitParser, type DecodableUnit } from "./annexb.ts"
import { KeyFrameSearch, type UnitPlace } from "./key-frames.ts"
import { joined, NAL, NalSplitter, nalType } from "./nal.ts"

export interface RingOptions {
  /** How far back a reader may start: a key frame at least this old is kept. */
  readonly duration: Milliseconds
  /** Wins over `duration`. Of a GOP that is larger, only the newest pieces are kept, and no reader can start in it. */
  readonly bytesMax: Bytes
  readonly framesPerSecond: FramesPerSecond
  readonly onFlaw: (flaw: MediaFlaw) => void
  readonly unitBytesMax?: Bytes
}

interface KeyFrame extends UnitPlace {
  readonly at: Milliseconds
}

/** Pieces without any key frame are of no use to a reader but the one who is waiting for the next. */
const WITHOUT_KEY_FRAME_MAX: Milliseconds = 1_000

/**
 * The pre-roll: the newest pieces exactly as they came, from a key frame on. It splits nothing itself; each reader
 * owns a parser. A piece with a `startsKeyFrame` hint is not looked at, any other is searched once for key frames.
 *
 * With hints, a stream's parameter sets must come with every key frame or in its very first piece.
 */
export class Ring {
  readonly #options: RingOptions
  /** Only a lens without hints needs it. */
  #search: KeyFrameSearch | null = null
  /** null: pieces are missing here. Number `#first + i` is at `#pieces[#head + i]`. */
  #pieces: (Piece | null)[] = []
  #head = 0
  #first = 0
  #bytes: Bytes = 0
  #keyFrames: KeyFrame[] = []
  /** The pieces with the newest parameter sets: a stream may send them but once. */
  #setsIn: readonly Piece[] = []
  #beginning = true
  #interruptions = 0
  #closed = false
  #change: { readonly promise: Promise<void>; readonly resolve: () => void } | null = null

  constructor(options: RingOptions) {
    this.#options = options
  }

  /** What is held, for a gauge. */
  get bytes(): Bytes {
    return this.#bytes
  }

  push(piece: Piece): void {
    const number = this.#end
    this.#pieces.push(piece)
    this.#bytes += piece.bytes.length
    if (this.#beginning) this.#setsIn = [piece]
    this.#beginning = false
    if (piece.startsKeyFrame === undefined) this.#look(piece, number)
    else {
      this.#search?.forget()
      if (piece.startsKeyFrame) this.#keyFrames.push({ piece: number, offset: 0, ordinal: 0, at: piece.at })
    }
    this.#evict(piece.at)
    this.#wake()
  }

  /** The lens stopped: whoever reads live comes to the end, and pieces to come do not continue those before. */
  interrupt(): void {
    this.#interruptions++
    // A lens that fails again and again leaves but one mark.
    if (this.#pieces.at(-1) !== null) this.#pieces.push(null)
    this.#search?.forget()
    this.#beginning = true
    this.#wake()
  }

  /** Forgets what it holds: whoever reads from now on sees only what is still to come. */
  clear(): void {
    this.interrupt()
    this.#dropUpTo(this.#end)
    this.#setsIn = []
  }

  /** Readers come to the end of what is held, the last access unit included. */
  close(): void {
    this.#closed = true
    this.#wake()
  }

  /**
   * Access units from the last key frame at or before `at`, or the first one held, then on as they come. Ends, without
   * throwing, when `signal` aborts, the ring is closed or the lens is interrupted. A reader that falls behind goes on
   * at the oldest key frame held, and that is a flaw.
   */
  async *from(at: Milliseconds, signal: AbortSignal): AsyncGenerator<DecodableUnit, void, undefined> {
    const parser = new AccessUnitParser({ ...this.#options, parameterSets: this.#parameterSets() })
    const wake = () => this.#wake()
    signal.addEventListener("abort", wake, { once: true })
    try {
      const live = this.#end
      const interruptions = this.#interruptions
      let start = this.#keyFrames.findLast((keyFrame) => keyFrame.at <= at) ?? this.#keyFrames[0]
      let next = start?.piece ?? Number.NaN
      while (!signal.aborted) {
        if (next < this.#first) {
          this.#options.onFlaw("before the first key frame")
          parser.interrupt()
          start = undefined
        }
        if (start === undefined) {
          start = this.#keyFrames[0]
          next = start?.piece ?? Number.NaN
        }
        const piece = this.#pieces[this.#head + next - this.#first]
        if (piece === undefined) {
          if (this.#closed) return yield* parser.flush()
          if (interruptions !== this.#interruptions) return
          await this.#changed()
          continue
        }
        next++
        if (piece === null) {
          if (next > live) return
          parser.interrupt()
        } else
          for (const unit of parser.push(next - 1 === start?.piece ? from(piece, start) : piece)) {
            if (signal.aborted) return
            yield unit
          }
      }
    } finally {
      signal.removeEventListener("abort", wake)
    }
  }

  /** The number that the next piece will have. */
  get #end(): number {
    return this.#first + this.#pieces.length - this.#head
  }

  #look(piece: Piece, number: number): void {
    this.#search ??= new KeyFrameSearch()
    for (const { withSets, ...place } of this.#search.look(piece.bytes, number)) {
      if (place.piece < this.#first) continue
      const from = this.#head + place.piece - this.#first
      this.#keyFrames.push({ ...place, at: this.#pieces[from]?.at ?? piece.at })
      if (withSets) this.#setsIn = this.#pieces.slice(from).filter((held) => held !== null)
    }
  }

  #parameterSets(): readonly Uint8Array[] {
    const sets: Uint8Array[] = []
    const nal = (unit: NalUnit) => {
      const type = nalType(unit[0])
      if (type === NAL.sps || type === NAL.pps) sets.push(joined(unit))
    }
    const splitter = new NalSplitter({ nal, stray: () => undefined }, this.#options.bytesMax)
    for (const piece of this.#setsIn) splitter.push(piece)
    splitter.end()
    return sets
  }

  /** Whole GOPs while the next one begins early enough; single pieces where there is no key frame to begin at. */
  #evict(now: Milliseconds): void {
    const { duration, bytesMax } = this.#options
    for (;;) {
      const following = this.#keyFrames[1]
      if (following && (following.at <= now - duration || this.#bytes > bytesMax))
        this.#dropUpTo(following.piece)
      else if (this.#bytes > bytesMax && this.#first + 1 < this.#end) this.#dropUpTo(this.#first + 1)
      else break
    }
    const oldest = now - Math.max(duration, WITHOUT_KEY_FRAME_MAX)
    while (this.#keyFrames.length === 0 && this.#first + 1 < this.#end) {
      const piece = this.#pieces[this.#head]
      if (piece && piece.at >= oldest) return
      this.#dropUpTo(this.#first + 1)
    }
  }

  #dropUpTo(number: number): void {
    for (; this.#first < number; this.#first++) {
      this.#bytes -= this.#pieces[this.#head]?.bytes.length ?? 0
      this.#pieces[this.#head++] = null
    }
    while (this.#keyFrames[0] && this.#keyFrames[0].piece < number) this.#keyFrames.shift()
    if (this.#head * 2 < this.#pieces.length) return
    this.#pieces = this.#pieces.slice(this.#head)
    this.#head = 0
  }

  /** One promise for all who wait, and none while nobody does. */
  #changed(): Promise<void> {
    if (this.#change === null) {
      let resolve: () => void = () => undefined
      const promise = new Promise<void>((done) => {
        resolve = done
      })
      this.#change = { promise, resolve }
    }
    return this.#change.promise
  }

  #wake(): void {
    this.#change?.resolve()
    this.#change = null
  }
}

/** The piece without what comes before `place`: it may be the end of something whose beginning is not there. */
function from(piece: Piece, { offset, ordinal }: UnitPlace): Piece {
  if (offset === 0) return piece
  const timing = piece.timing && { timing: piece.timing.slice(ordinal) }
  return { ...piece, bytes: piece.bytes.subarray(offset), ...timing }
}
