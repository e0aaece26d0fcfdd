import { toJson } from "../control/json.ts"
import { type BitsPerSecond, type Bytes, KiB, type Milliseconds } from "../units.ts"

/**
 * How large a plaintext is made before it is sealed, for a sealed object shows its size to everyone who carries it.
 * Each function takes the bytes there are and returns the bytes to fill up to: never fewer, and more bytes never
 * lead to a smaller size.
 */
export type PaddedSize = (bytes: Bytes) => Bytes

const STEP_BYTES: Bytes = 32 * KiB
const SIDECAR_BYTES: Bytes = 64 * KiB
/** Where much moves an encoder overshoots its nominal rate. A third more covers most of it; design/sealing.md measures. */
const FLOOR_OVER_NOMINAL = 1.3

/** One common size up to some 1.3 times the nominal segment, then steps of 32 KiB. */
export function floorAndSteps(nominalSegmentBytes: Bytes): PaddedSize {
  const floor = stepsAbove(nominalSegmentBytes * FLOOR_OVER_NOMINAL)
  return (bytes) => Math.max(floor, stepsAbove(bytes))
}

/**
 * Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files", PETS 2019, §4.1): a length keeps as many
 * significant bits after the first as its exponent needs. At most 12 % more, 3.2 % from 64 KiB on.
 */
export function padme(bytes: Bytes): Bytes {
  if (bytes < 2) return bytes
  const exponent = Math.floor(Math.log2(bytes))
  const significantBits = Math.floor(Math.log2(exponent)) + 1
  const unit = 2 ** Math.max(0, exponent - significantBits)
  return Math.ceil(bytes / unit) * unit
}

/** Thumbnails and summaries: one size for all up to 64 KiB, then steps of 32 KiB. */
export function sidecar(bytes: Bytes): Bytes {
  return Math.max(SIDECAR_BYTES, stepsAbove(bytes))
}

/** What a segment holds at the nominal rate: it ends at the first key frame at or after `segmentMin`. */
export function nominalSegmentBytes(film: {
  readonly bitsPerSecond: BitsPerSecond
  readonly groupOfPictures: Milliseconds
  readonly segmentMin: Milliseconds
}): Bytes {
  const groups = Math.max(1, Math.ceil(film.segmentMin / film.groupOfPictures))
  return Math.ceil((film.bitsPerSecond / 8) * ((groups * film.groupOfPictures) / 1_000))
}

/** `value` as JSON, filled up with spaces, which JSON allows after a value (RFC 8259 §2). */
export function padJson(value: unknown, paddedSize: PaddedSize): Uint8Array {
  const json = toJson(value)
  const padded = new Uint8Array(paddedSize(json.length)).fill(SPACE)
  padded.set(json)
  return padded
}

/** The JSON of `padJson` without its padding: a view. */
export function unpadJson(padded: Uint8Array): Uint8Array {
  let end = padded.length
  while (end > 0 && padded[end - 1] === SPACE) end--
  return padded.subarray(0, end)
}

const SPACE = 0x20

function stepsAbove(bytes: number): Bytes {
  return Math.ceil(bytes / STEP_BYTES) * STEP_BYTES
}
