import { Buffer } from "node:buffer"
import { Fault } from "../errors.ts"
import type { DecodableUnit } from "../media/annexb.ts"
import { nalBytes } from "../media/nal.ts"
import type { ParameterSets } from "../media/parameter-sets.ts"
import { parsePpsIds, parseSps } from "../media/sps.ts"
import { type Bytes, KiB } from "../units.ts"

/**
 * One access unit as a viewer gets it, inside its seal, and what a viewer says:
 *
 *   picture  key frame u8 · at f64 · pts f64 · dts f64 · [sets u8 · { length u16 · parameter set }*]
 *            · { length u32 · NAL unit }* · 0 u32 · zeros
 *   report   what u8 (0: has all up to here, 1: leaves) · counter u64
 *
 * Numbers are big-endian; times as in `AccessUnit`. Parameter sets, the SPS first, come with each key frame. Zeros fill it
 * up, for what is sealed shows its size to whoever carries it, and in a fixed camera's film size is movement.
 */
const HEAD_BYTES: Bytes = 25
const SETS_MAX = 32
/** A step of 4 KiB at 1280 by 720, more in a larger picture; `design/grants.md` measures what sizes still tell. */
const PIXELS_PER_BYTE = 225
const KEY_FRAME_STEPS = 4
const END_BYTES: Bytes = 4

export function encodePicture(unit: DecodableUnit): readonly Uint8Array[] {
  const head = Buffer.alloc(HEAD_BYTES)
  head[0] = unit.keyFrame ? 1 : 0
  head.writeDoubleBE(unit.at, 1)
  head.writeDoubleBE(unit.pts, 9)
  head.writeDoubleBE(unit.dts, 17)
  const sets = unit.keyFrame ? [unit.sets.sps, ...unit.sets.pps] : []
  const pieces: Uint8Array[] = unit.keyFrame ? [head, Uint8Array.of(sets.length)] : [head]
  for (const set of sets) {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(set.length)
    pieces.push(length, set)
  }
  for (const nal of unit.nals) {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(nalBytes(nal))
    pieces.push(length, ...nal)
  }
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
  pieces.push(Buffer.alloc(paddedTo(bytes + END_BYTES, stepOf(unit)) - bytes))
  return pieces
}

/** To what a picture is filled up. */
export function stepOf({ keyFrame, sets }: Pick<DecodableUnit, "keyFrame" | "sets">): Bytes {
  const { width, height } = sets.picture
  const step = paddedTo((width * height) / PIXELS_PER_BYTE, KiB)
  return keyFrame ? step * KEY_FRAME_STEPS : step
}

const paddedTo = (bytes: number, step: Bytes): Bytes => Math.ceil(bytes / step) * step

/** Pictures to access units. A picture that is no key frame has the parameter sets of the key frame before. */
export class PictureReader {
  #sets: ParameterSets | null = null

  /** @throws Fault "malformed": cut short, without its parameter sets, or before any key frame. */
  read(bytes: Buffer): DecodableUnit {
    if (bytes.length <= HEAD_BYTES || (bytes[0] ?? 2) > 1) throw cutShort()
    const keyFrame = bytes[0] === 1
    let at = HEAD_BYTES
    if (keyFrame) at = this.#readSets(bytes, at)
    if (this.#sets === null) throw new Fault("malformed", "live: a picture before any key frame")
    const nals: (readonly [Uint8Array])[] = []
    for (;;) {
      if (at + END_BYTES > bytes.length) throw cutShort()
      const end = at + 4 + bytes.readUInt32BE(at)
      if (end > bytes.length) throw cutShort()
      if (end === at + END_BYTES) break
      nals.push([bytes.subarray(at + 4, end)])
      at = end
    }
    if (bytes.subarray(at).some((byte) => byte !== 0)) throw cutShort()
    return {
      ...{ nals, keyFrame, sets: this.#sets },
      ...{ at: bytes.readDoubleBE(1), pts: bytes.readDoubleBE(9), dts: bytes.readDoubleBE(17) },
    }
  }

  #readSets(bytes: Buffer, from: number): number {
    const count = bytes[from] ?? 0
    if (count < 2 || count > SETS_MAX) throw new Fault("malformed", "live: a key frame without its sets")
    const sets: Buffer[] = []
    let at = from + 1
    for (let n = 0; n < count; n++) {
      if (at + 2 >= bytes.length) throw cutShort()
      const end = at + 2 + bytes.readUInt16BE(at)
      if (end > bytes.length || end === at + 2) throw cutShort()
      sets.push(bytes.subarray(at + 2, end))
      at = end
    }
    this.#use(sets)
    return at
  }

  /** The same object as long as not a byte changes, as `ParameterSets` promises. */
  #use([sps, ...pps]: readonly Buffer[]): void {
    if (sps === undefined) throw cutShort()
    const known = this.#sets && [this.#sets.sps, ...this.#sets.pps]
    if (
      known?.length === pps.length + 1 &&
      [sps, ...pps].every((set, i) => set.equals(known[i] ?? set.subarray(1)))
    )
      return
    for (const set of pps) parsePpsIds(set)
    this.#sets = { sps: Buffer.from(sps), pps: pps.map((set) => Buffer.from(set)), picture: parseSps(sps) }
  }
}

function cutShort(): Fault {
  return new Fault("malformed", "live: a picture that is cut short")
}

export interface Report {
  readonly leaves: boolean
  /** All up to this counter was received. */
  readonly counter: number
}

const REPORT_BYTES: Bytes = 9

export function encodeReport({ leaves, counter }: Report): Buffer {
  const bytes = Buffer.alloc(REPORT_BYTES)
  bytes[0] = leaves ? 1 : 0
  bytes.writeBigUInt64BE(BigInt(counter), 1)
  return bytes
}

/** @throws Fault "malformed" */
export function decodeReport(bytes: Buffer): Report {
  if (bytes.length !== REPORT_BYTES || (bytes[0] ?? 2) > 1) throw new Fault("malformed", "not a live report")
  return { leaves: bytes[0] === 1, counter: Number(bytes.readBigUInt64BE(1)) }
}
