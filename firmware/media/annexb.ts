import type { AccessUnit, NalUnit } from "../clip.ts"
import { isFault } from "../errors.ts"
import type { MediaFlaw } from "../log.ts"
import type { Piece } from "../ports.ts"
import { type Bytes, type FramesPerSecond, MiB } from "../units.ts"
import {
  beginsPicture,
  joined,
  NAL,
  NalSplitter,
  nalBytes,
  nalType,
  type Origin,
  precedesPicture,
} from "./nal.ts"
import { type ParameterSets, SeenParameterSets } from "./parameter-sets.ts"
import { PictureOrder, type PicturePlace } from "./picture-order.ts"
import { type Slice, SliceReader } from "./slice.ts"
import { UnitTiming } from "./timing.ts"

/** An access unit with the parameter sets in force, which it need not hold itself. */
export interface DecodableUnit extends AccessUnit {
  readonly sets: ParameterSets
}

export interface AccessUnitParserOptions {
  /** Nominal: counts where pieces bring no timing. */
  readonly framesPerSecond: FramesPerSecond
  /** Called once for each time that media is skipped to the next key frame, not for each unit skipped. */
  readonly onFlaw: (flaw: MediaFlaw) => void
  /** An access unit larger than this is skipped. It also bounds what the parser holds. */
  readonly unitBytesMax?: Bytes
  /** SPS and PPS NAL units that came earlier in the same stream. */
  readonly parameterSets?: readonly Uint8Array[]
}

export const UNIT_BYTES_MAX = 8 * MiB
/** An honest picture has at most one slice a macroblock row and a handful of SEI; each NAL unit costs an object. */
const UNIT_NALS_MAX = 2_048
const OUT_OF_ORDER: PicturePlace = { waits: 0, newest: true }

/** The access unit in the making. */
interface Pending {
  readonly origin: Origin
  readonly ordinal: number
  nals: NalUnit[]
  bytes: Bytes
  /** The latest slice that began a field or frame of it. */
  picture: Slice | null
  lastMacroblock: number
  keyFrame: boolean
  secondField: boolean
  /** It holds a slice, readable or not. */
  coded: boolean
  flaw: MediaFlaw | null
}

/**
 * Pieces of H.264 Annex B, split anywhere, to access units (ISO/IEC 14496-10 §7.4.1.2.3), bit for bit the source's.
 * It begins at a key frame; what is malformed or incomplete is skipped up to the next one and told to `onFlaw`.
 * It never throws for what it reads. An access unit comes out when the next begins, or at once where `endsUnit` says so.
 */
export class AccessUnitParser {
  readonly #onFlaw: (flaw: MediaFlaw) => void
  readonly #bytesMax: Bytes
  readonly #splitter: NalSplitter
  readonly #seen = new SeenParameterSets()
  readonly #slices = new SliceReader(this.#seen)
  readonly #order = new PictureOrder()
  readonly #timing: UnitTiming
  #pending: Pending | null = null
  /** Up to the next key frame; `untold` until the reason was told. */
  #skipping: "told" | "untold" | null = "untold"
  #spsChanged = false
  #ready: DecodableUnit[] = []

  constructor({
    framesPerSecond,
    onFlaw,
    unitBytesMax = UNIT_BYTES_MAX,
    parameterSets = [],
  }: AccessUnitParserOptions) {
    this.#onFlaw = onFlaw
    this.#bytesMax = unitBytesMax
    this.#timing = new UnitTiming(framesPerSecond)
    const sink = {
      nal: (nal: NalUnit, origin: Origin, tooLarge: boolean) => this.#nal(nal, origin, tooLarge),
      stray: () => this.#skip(this.#skipping === "untold" ? "before the first key frame" : "malformed slice"),
    }
    this.#splitter = new NalSplitter(sink, unitBytesMax)
    for (const nal of parameterSets) this.#parameterSet(nalType(nal), nal)
  }

  /** The access units that are now complete. They hold views of `piece.bytes`. */
  push(piece: Piece): DecodableUnit[] {
    this.#splitter.push(piece)
    if (piece.endsUnit === true || this.#nextHasBegun()) this.#finish()
    return this.#take()
  }

  /** The stream has ended: the last access unit. */
  flush(): DecodableUnit[] {
    this.#splitter.end()
    this.#finish()
    return this.#take()
  }

  /** Pieces are missing from here: drops the unfinished unit and goes on at the next key frame, without a flaw. */
  interrupt(): void {
    this.#splitter.forget()
    this.#pending = null
    this.#skipping = "told"
  }

  /** The NAL unit that is not whole yet is surely of the next access unit, so nobody need wait for the rest of it. */
  #nextHasBegun(): boolean {
    const head = this.#splitter.openHead
    if (head === null) return false
    const type = nalType(head)
    const framesOnly = this.#pending?.picture?.sps.frameMacroblocksOnly === true
    return (
      precedesPicture(type) || ((type === NAL.slice || type === NAL.idr) && framesOnly && beginsPicture(head))
    )
  }

  #take(): DecodableUnit[] {
    const ready = this.#ready
    if (ready.length > 0) this.#ready = []
    return ready
  }

  #nal(nal: NalUnit, origin: Origin, tooLarge: boolean): void {
    const [head] = nal
    const type = nalType(head)
    let flaw: MediaFlaw | null = tooLarge ? "unit too large" : null
    if (((head[0] ?? 0) & 0x80) !== 0) flaw ??= "malformed slice" // forbidden_zero_bit (§7.4.1)
    const isSlice = type >= NAL.slice && type <= NAL.idr
    if (this.#pending !== null && precedesPicture(type)) this.#finish()
    if (type === NAL.sps || type === NAL.pps) flaw ??= this.#parameterSet(type, joined(nal))
    const slice = type === NAL.slice || type === NAL.idr || type === 2 ? this.#slice(head) : null
    if (typeof slice === "string") {
      // Unreadable, but how it begins may be told.
      if (beginsPicture(head)) this.#finish()
    } else if (slice !== null) this.#beginPicture(slice, origin)
    const pending = this.#pending ?? this.#begin(origin)
    if (isSlice) pending.coded = true
    if (type === NAL.idr) pending.keyFrame = true
    if (typeof slice === "string") flaw ??= slice
    pending.bytes += nalBytes(nal)
    if (pending.bytes > this.#bytesMax || pending.nals.length >= UNIT_NALS_MAX) flaw ??= "unit too large"
    pending.flaw ??= flaw
    if (pending.flaw === null) pending.nals.push(nal)
    else pending.nals = []
  }

  #parameterSet(type: number, nal: Uint8Array): MediaFlaw | null {
    try {
      if (type === NAL.pps) this.#seen.addPps(nal)
      else if (this.#seen.addSps(nal)) this.#spsChanged = true
      return null
    } catch (error) {
      if (isFault(error, "malformed")) return "malformed parameter sets"
      throw error
    }
  }

  #slice(head: Uint8Array): Slice | MediaFlaw {
    try {
      return this.#slices.read(head) ?? "no parameter sets"
    } catch (error) {
      if (isFault(error, "malformed")) return "malformed slice"
      throw error
    }
  }

  /** Gives `slice` its place: in the pending unit, or as the beginning of the next. */
  #beginPicture(slice: Slice, origin: Origin): void {
    const before = this.#pending?.picture ?? null
    const continues = before !== null && this.#continues(before, slice)
    const second = !continues && before !== null && this.#isSecondField(before, slice)
    if (!continues && !second) this.#finish()
    const pending = this.#pending ?? this.#begin(origin)
    pending.lastMacroblock = slice.firstMacroblock
    if (continues) return
    if (second) pending.secondField = true
    pending.picture = slice
    if (slice.firstMacroblock !== 0) pending.flaw ??= "missing first slice"
  }

  /** Of the same picture (§7.4.1.2.4), as far as encoders without arbitrary slice order go. */
  #continues(before: Slice, slice: Slice): boolean {
    return (
      slice.firstMacroblock > (this.#pending?.lastMacroblock ?? 0) &&
      slice.frameNumber === before.frameNumber &&
      slice.pictureOrder === before.pictureOrder &&
      slice.field === before.field &&
      slice.idr === before.idr &&
      slice.sps === before.sps
    )
  }

  /** Both fields of a frame are one sample, as every file format has them. */
  #isSecondField(before: Slice, slice: Slice): boolean {
    return (
      this.#pending?.secondField === false &&
      before.field !== null &&
      slice.field !== null &&
      slice.field !== before.field &&
      slice.frameNumber === before.frameNumber &&
      slice.firstMacroblock === 0
    )
  }

  #begin(origin: Origin): Pending {
    this.#pending = {
      origin,
      ordinal: origin.begun++,
      nals: [],
      bytes: 0,
      picture: null,
      lastMacroblock: 0,
      keyFrame: false,
      secondField: false,
      coded: false,
      flaw: null,
    }
    return this.#pending
  }

  #finish(): void {
    const pending = this.#pending
    if (pending === null || !pending.coded) return
    this.#pending = null
    const { picture, origin, keyFrame } = pending
    const place = picture === null ? OUT_OF_ORDER : this.#order.place(picture)
    const time = this.#timing.next(origin, pending.ordinal, place)
    const sets = picture === null ? null : this.#seen.of(picture.ppsId)
    if (keyFrame && pending.flaw === null) this.#spsChanged = false
    const flaw =
      this.#skipping !== null && !keyFrame
        ? "before the first key frame"
        : (pending.flaw ??
          // An SPS changes at an IDR picture alone (§7.4.1.2.1).
          (this.#spsChanged && !keyFrame ? "malformed parameter sets" : null))
    if (flaw !== null) this.#skip(flaw, keyFrame)
    else if (sets === null) this.#skip("no parameter sets", keyFrame)
    else {
      this.#skipping = null
      const { pts, dts } = time
      this.#ready.push({ nals: pending.nals, keyFrame, pts, dts, at: origin.at, sets })
    }
  }

  /** `again`: a key frame at which media might have gone on is lost too, which counts once more. */
  #skip(flaw: MediaFlaw, again = false): void {
    const told = this.#skipping === "told" && !again
    this.#skipping = "told"
    if (!told) this.#onFlaw(flaw)
  }
}
