import { type Check, type Finding, fail, pass, skipped } from "../check.ts"
import { lumaMissing } from "./luma-missing.ts"

/** A real sensor's noise changes far more than a thousandth of the pixels from one picture to the next. */
const CHANGED_MIN = 0.001

/**
 * The picture changes: the sensor still reads out, and its driver still hands on.
 *
 * By pixels alone. How large encoded pictures are does not tell: at a bitrate that it is to fill, an encoder goes on
 * refining a picture that stands still, with thousands of bytes a picture.
 */
export const frozen: Check = {
  name: "frozen",
  mandatory: true,
  async run({ world, lens }): Promise<Finding> {
    const missing = lumaMissing(world)
    if (missing !== null) return skipped(missing)
    const { changed } = await lens.luma()
    const is = `${(changed * 100).toFixed(2)} % of the pixels change from picture to picture`
    const facts = [{ changedShare: changed }, { changedShareMin: CHANGED_MIN }] as const
    return changed < CHANGED_MIN
      ? fail(`frozen: ${is}, and a sensor's noise alone makes it more; check the ribbon cable`, ...facts)
      : pass(is, ...facts)
  },
}
