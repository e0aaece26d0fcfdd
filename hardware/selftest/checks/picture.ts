import { type Check, type Finding, fail, pass, skipped } from "../check.ts"
import type { LumaSeen } from "../luma-seen.ts"
import { lumaMissing } from "./luma-missing.ts"

/** Black is 16 in video range, and a dark sensor's noise lifts it a little. */
const BLACK_BELOW = 24
const WHITE_ABOVE = 245
/** A picture of anything has edges; a covered lens, or none, gives one grey and noise. */
const DEVIATION_MIN = 4

/** There is something to see: not black, not white, not one grey. */
export const picture: Check = {
  name: "picture",
  // A board without uncompressed pictures cannot tell, H.264 says nothing of brightness unless it is decoded: incomplete.
  mandatory: true,
  async run({ world, lens }): Promise<Finding> {
    const missing = lumaMissing(world)
    if (missing !== null) return skipped(missing)
    const seen = await lens.luma()
    const why = whatIsWrong(seen)
    const measured = { mean: rounded(seen.mean), deviation: rounded(seen.deviation) }
    const limits = { meanMin: BLACK_BELOW, meanMax: WHITE_ABOVE, deviationMin: DEVIATION_MIN }
    return why === null
      ? pass(`mean ${measured.mean} of 255, deviation ${measured.deviation}`, measured, limits)
      : fail(why, measured, limits)
  },
}

/** null: there is something to see. */
export function whatIsWrong({ mean, deviation }: LumaSeen): string | null {
  if (mean < BLACK_BELOW)
    return `black (mean ${rounded(mean)} of 255): take the cap off the lens, and put light on what it sees`
  if (mean > WHITE_ABOVE) return `white (mean ${rounded(mean)} of 255): too much light, or a broken sensor`
  if (deviation < DEVIATION_MIN)
    return `one even grey (deviation ${rounded(deviation)}): the lens is covered or missing, or sees a blank wall`
  return null
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}
