import { Buffer } from "node:buffer"
import { beginsPicture, NAL, nalType, precedesPicture, START_CODE } from "../../firmware/media/nal.ts"
import type { PictureTime, Piece } from "../../firmware/ports.ts"
import { type Milliseconds, seconds, ticksOf } from "../../firmware/units.ts"
import type { Stage } from "./stream.ts"

/** Counted of the time between two reads: when this process was busy for longer, lines wait in the pipe as bytes do. */
const BETWEEN_READS_MAX: Milliseconds = 250
/** A piece waits this long for its pictures' times: much longer than a picture takes to be written. */
const WAIT_MAX: Milliseconds = seconds(1)
/** So long may times come before their pictures' bytes; a busy process reads them in any order, but not always. */
const EARLY_MAX: Milliseconds = seconds(2)

/**
 * Gives pieces of H.264 their `timing` from what rpicam-vid writes with `--save-pts`: a comment, then for each picture,
 * in order, a line with its time in milliseconds, right *after* the picture's last byte. So a piece is held until the
 * lines of all access units that begin in it are there: about as long as a picture takes to be written.
 *
 *   bytes   [u0 u0 u1][u1 u1 u1][u1 u2 …     pieces, split anywhere
 *   lines              0         1           one for each access unit, once it is written
 *   given             [u0 u0 u1]  needs lines 0 and 1; [u1 u1 u1] none
 *
 * Lines and pictures are matched by their number alone. Should an encoder write parameter sets as a picture of their
 * own, or a picture in two, they run apart; then lines come before their pictures, or fail to come. Both are noticed
 * after two seconds at most, at less than four frames a second after eight pictures; `onUnsound` is called, and pieces
 * go on without timing: the nominal frame rate counts again. Until then times are wrong by one or two pictures' duration. There are no B-frames: dts is pts.
 */
export class TimestampPairing implements Stage {
  readonly #emit: (piece: Piece) => void
  readonly #onUnsound: (why: string) => void
  /** Not given yet, with where they end in the stream, and when they came by `#awake`. */
  #held: { readonly piece: Piece; readonly end: number; readonly since: Milliseconds }[] = []
  /** Where access units begin that have no line yet, or whose piece is held. */
  #begins: number[] = []
  #times: PictureTime[] = []
  /** The end of the stream so far, as far as it may be a start code's beginning. */
  #tail: Buffer = EMPTY
  #length = 0
  /** The latest access unit has a slice. */
  #coded = true
  /** Passes as this process reads. */
  #awake: Milliseconds = 0
  #lastRead: Milliseconds = Number.POSITIVE_INFINITY
  #earlySince: Milliseconds | null = null
  #sound = true

  constructor(emit: (piece: Piece) => void, onUnsound: (why: string) => void) {
    this.#emit = emit
    this.#onUnsound = onUnsound
  }

  bytes(bytes: Uint8Array, at: Milliseconds): void {
    if (!this.#sound) {
      this.#emit({ bytes, at })
      return
    }
    this.#awake += Math.min(BETWEEN_READS_MAX, Math.max(0, at - this.#lastRead))
    this.#lastRead = at
    this.#scan(bytes)
    this.#held.push({ piece: { bytes, at }, end: this.#length, since: this.#awake })
    this.#give()
    const [first] = this.#held
    if (first && this.#awake - first.since > WAIT_MAX) this.#giveUp("a picture's time did not come")
    else if (this.#earlySince !== null && this.#awake - this.#earlySince > EARLY_MAX)
      this.#giveUp("there are more times than pictures")
  }

  /** A line of the file; one that is no time is skipped. */
  line(line: string): void {
    if (!this.#sound || !/^\d+(\.\d+)?$/.test(line)) return
    const pts = Math.round(ticksOf(Number(line)))
    this.#times.push({ pts, dts: pts })
    this.#give()
  }

  /** What is held goes without times: those of the last picture may be missing for ever. */
  end(): void {
    this.#sound = false
    for (const { piece } of this.#held.splice(0)) this.#emit(piece)
  }

  #giveUp(why: string): void {
    this.end()
    this.#onUnsound(why)
  }

  #give(): void {
    // A start code that is not whole yet may have begun in the newest piece.
    const decided = this.#length - this.#tail.length
    for (let first = this.#held[0]; first && first.end <= decided; first = this.#held[0]) {
      const { piece, end } = first
      const after = this.#begins.findIndex((begin) => begin >= end)
      const count = after < 0 ? this.#begins.length : after
      if (this.#times.length < count) return
      this.#held.shift()
      this.#begins.splice(0, count)
      this.#emit({ ...piece, timing: this.#times.splice(0, count) })
    }
  }

  #scan(bytes: Uint8Array): void {
    const stream = Buffer.concat([this.#tail, bytes])
    const base = this.#length - this.#tail.length
    this.#length += bytes.length
    let from = 0
    for (let code = stream.indexOf(START_CODE); code >= 0; code = stream.indexOf(START_CODE, from)) {
      const begin = code > from && stream[code - 1] === 0 ? code - 1 : code
      if (code + START_CODE.length + 2 > stream.length) {
        this.#tail = Buffer.from(stream.subarray(begin))
        return
      }
      from = code + START_CODE.length
      if (this.#beginsUnit(stream.subarray(from, from + 2))) this.#begin(base + begin)
    }
    let zeros = 0
    while (zeros < 3 && stream.length - zeros > from && stream[stream.length - zeros - 1] === 0) zeros++
    this.#tail = zeros === 0 ? EMPTY : Buffer.from(stream.subarray(stream.length - zeros))
  }

  /** The first NAL unit of an access unit, of an encoder that writes frames, not fields (ISO/IEC 14496-10 §7.4.1.2.3). */
  #beginsUnit(head: Uint8Array): boolean {
    const type = nalType(head)
    const isSlice = type === NAL.slice || type === NAL.idr
    const begins = this.#coded && (precedesPicture(type) || (isSlice && beginsPicture(head)))
    if (begins) this.#coded = false
    if (isSlice) this.#coded = true
    return begins
  }

  #begin(begin: number): void {
    this.#begins.push(begin)
    if (this.#times.length < this.#begins.length) this.#earlySince = null
    else this.#earlySince ??= this.#awake
  }
}

const EMPTY = Buffer.alloc(0)
