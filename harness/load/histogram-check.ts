import { inflateSync } from "node:zlib"
import { Fault } from "../../firmware/errors.ts"
import { addedUp } from "./times.ts"

/** HdrHistogram's V2 format: cookie and length, then deflate; in it cookie, length, offset, digits, lowest, highest. */
const PREFIX_BYTES = 8
const HEADER_BYTES = 40
const INFLATED_MAX = 2 ** 20
const DIGITS = 3
const LOWEST = 1n
const HIGHEST = 3_600_000_000n

/**
 * A histogram of somebody else's file: of the same resolution as ours, so that adding loses nothing, and no larger.
 * @throws Fault "malformed", definite.
 */
export function checkHistogram(encoded: string): void {
  try {
    const bytes = Buffer.from(encoded, "base64")
    const plain = inflateSync(bytes.subarray(PREFIX_BYTES), { maxOutputLength: INFLATED_MAX })
    if (plain.length < HEADER_BYTES) throw new RangeError("too short")
    const [digits, lowest, highest] = [
      plain.readInt32BE(12),
      plain.readBigInt64BE(16),
      plain.readBigInt64BE(24),
    ]
    if (digits !== DIGITS || lowest !== LOWEST || highest !== HIGHEST)
      throw new RangeError("another resolution")
    const histogram = addedUp([encoded])
    if (histogram === null) throw new RangeError("it is empty")
    if (!Number.isSafeInteger(histogram.totalCount) || histogram.totalCount < 0)
      throw new RangeError("counts beyond measure")
    if (!Number.isFinite(histogram.mean) || histogram.maxValue > Number(HIGHEST) * 2)
      throw new RangeError("values beyond measure")
  } catch (cause) {
    throw new Fault("malformed", "is no histogram of this version", { cause })
  }
}
