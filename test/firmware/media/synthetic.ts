import type { NalUnit } from "../../../firmware/clip.ts"

/** H.264 made bit by bit: headers as an encoder writes them, with noise where the pictures would be. */

export interface SpsShape {
  readonly id?: number
  readonly profile?: number
  readonly columns?: number
  readonly rows?: number
  readonly referenceFrames?: number
  readonly pictureOrderType?: number
  readonly crop?: readonly [left: number, right: number, top: number, bottom: number]
  readonly reorderFrames?: number
}

export function sps(shape: SpsShape = {}): Uint8Array {
  const { id = 0, profile = 77, columns = 40, rows = 30, referenceFrames = 2, pictureOrderType = 0 } = shape
  const bits = new BitWriter().u(8, profile).u(8, 0).u(8, 31).ue(id)
  if (profile === 100) bits.ue(1).ue(0).ue(0).u(1, 0).u(1, 0)
  bits.ue(4).ue(pictureOrderType)
  if (pictureOrderType === 0) bits.ue(4)
  bits
    .ue(referenceFrames)
    .u(1, 0)
    .ue(columns - 1)
    .ue(rows - 1)
    .u(1, 1)
    .u(1, 1)
  bits.u(1, shape.crop ? 1 : 0)
  for (const edge of shape.crop ?? []) bits.ue(edge)
  bits.u(1, shape.reorderFrames === undefined ? 0 : 1)
  if (shape.reorderFrames !== undefined) {
    bits.u(4, 0).u(1, 1).u(32, 1).u(32, 50).u(1, 1) // timing alone
    bits.u(3, 0).u(1, 1).u(1, 1) // no HRD, no pic_struct, restrictions
    bits.ue(0).ue(0).ue(10).ue(10).ue(shape.reorderFrames).ue(4)
  }
  return bits.nal(0x67)
}

export function pps(id = 0, spsId = 0): Uint8Array {
  return new BitWriter().ue(id).ue(spsId).u(8, 0xa5).nal(0x68)
}

export interface SliceShape {
  readonly idr?: boolean
  readonly reference?: boolean
  readonly firstMacroblock?: number
  readonly frameNumber?: number
  readonly pictureOrder?: number
  readonly ppsId?: number
  readonly bytes?: number
  readonly seed?: number
}

export function slice(shape: SliceShape = {}): Uint8Array {
  const { idr = false, reference = true, firstMacroblock = 0, frameNumber = 0, pictureOrder = 0 } = shape
  const bits = new BitWriter()
    .ue(firstMacroblock)
    .ue(idr ? 7 : 5)
    .ue(shape.ppsId ?? 0)
  bits.u(8, frameNumber & 255)
  if (idr) bits.ue(0)
  bits.u(8, pictureOrder & 255)
  let noise = (shape.seed ?? 1) * 2_654_435_761 + frameNumber
  for (let i = 0; i < (shape.bytes ?? 40); i++) {
    noise = (Math.imul(noise, 1_103_515_245) + 12_345) >>> 0
    bits.u(8, (noise >>> 16) % 5 === 0 ? 0 : (noise >>> 16) & 255) // zeros often: they are what is hard
  }
  return bits.nal((reference ? 0x60 : 0) | (idr ? 5 : 1))
}

/** I P B B: four pictures that are shown as I B B P. Positions in output order. */
const WITH_B_FRAMES = [0, 3, 1, 2]

export interface Picture {
  readonly nals: readonly Uint8Array[]
  readonly keyFrame: boolean
  /** In output order, from 0. */
  readonly shown: number
}

export interface StreamShape {
  readonly groups: number
  readonly perGroup?: number
  readonly bFrames?: boolean
  readonly slices?: number
  readonly setsOnce?: boolean
  readonly sliceBytes?: number
  readonly sps?: Uint8Array
}

export function pictures(shape: StreamShape): Picture[] {
  const { groups, perGroup = 8, bFrames = false, slices = 1, setsOnce = false } = shape
  const all: Picture[] = []
  for (let group = 0; group < groups; group++) {
    let frameNumber = 0
    for (let i = 0; i < perGroup; i++) {
      const keyFrame = i === 0
      // The first picture alone, then mini-GOPs of P B B.
      const inGroup = bFrames && i > 0 ? i - ((i - 1) % 3) - 1 + (WITH_B_FRAMES[((i - 1) % 3) + 1] ?? 0) : i
      const reference = !bFrames || i === 0 || (i - 1) % 3 === 0
      const sets = keyFrame && (group === 0 || !setsOnce) ? [shape.sps ?? sps(), pps()] : []
      const sei = keyFrame ? [Uint8Array.of(0x06, 5, 2, group & 255 || 1, 7, 0x80)] : []
      const coded = Array.from({ length: slices }, (_, s) =>
        slice({
          idr: keyFrame,
          reference,
          firstMacroblock: s * 40,
          frameNumber,
          pictureOrder: inGroup * 2,
          seed: group * 1_000 + i * 10 + s,
          bytes: shape.sliceBytes ?? 40,
        }),
      )
      all.push({ nals: [...sets, ...sei, ...coded], keyFrame, shown: group * perGroup + inGroup })
      if (reference) frameNumber++
    }
  }
  return all
}

/** Start codes of 4 bytes where an access unit begins, of 3 bytes elsewhere, or mixed by `seed`. */
export function annexB(nals: readonly Uint8Array[], seed = 0): Buffer {
  return Buffer.concat(
    nals.flatMap((nal, i) => {
      const long = seed === 0 ? i === 0 : ((seed * 31 + i * 17) & 3) < 2
      return [Buffer.from(long ? [0, 0, 0, 1] : [0, 0, 1]), nal]
    }),
  )
}

/** NAL units as test and firmware hold them: the firmware's may be in parts. */
export interface WithNals {
  readonly nals: readonly (Uint8Array | NalUnit)[]
}

/** The NAL units of each unit, to be compared. */
export const hexOf = (units: readonly WithNals[]): string[] =>
  units.map(({ nals }) => nals.map((nal) => whole(nal).toString("hex")).join(" "))

export const whole = (nal: Uint8Array | NalUnit): Buffer =>
  nal instanceof Uint8Array ? Buffer.from(nal) : Buffer.concat(nal)

class BitWriter {
  readonly #bits: number[] = []

  u(count: number, value: number): this {
    for (let bit = count - 1; bit >= 0; bit--) this.#bits.push(Math.floor(value / 2 ** bit) % 2)
    return this
  }

  ue(value: number): this {
    const length = Math.floor(Math.log2(value + 1))
    return this.u(length, 0).u(length + 1, value + 1)
  }

  /** With stop bit and emulation prevention. */
  nal(header: number): Uint8Array {
    this.u(1, 1)
    while (this.#bits.length % 8 !== 0) this.u(1, 0)
    const bytes = [header]
    let zeros = 0
    for (let i = 0; i < this.#bits.length; i += 8) {
      const byte = this.#bits.slice(i, i + 8).reduce((value, bit) => value * 2 + bit, 0)
      if (zeros >= 2 && byte <= 3) {
        bytes.push(3)
        zeros = 0
      }
      bytes.push(byte)
      zeros = byte === 0 ? zeros + 1 : 0
    }
    return Uint8Array.from(bytes)
  }
}
