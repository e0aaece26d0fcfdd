import { type Check, type Finding, judged } from "../check.ts"

/** What padding hides: a segment larger than this shows (`firmware/delivery/padding.ts`). */
const OVER = 1.3
/** An encoder spends less than its rate where little moves; nearly nothing says that it encodes nothing. */
const UNDER = 0.1

/** The encoder keeps to the bitrate that was asked for. */
export const bitrate: Check = {
  name: "bitrate",
  mandatory: true,
  async run({ world, lens }): Promise<Finding> {
    const asked = world.config.lens.bitsPerSecond
    const { bitsPerSecond } = await lens.stream()
    const is = `${megabits(bitsPerSecond)}, ${megabits(asked)} asked for`
    return judged(
      [
        bitsPerSecond > asked * OVER ? `${is}: update rpicam-apps, or ask for fewer pixels` : null,
        bitsPerSecond < asked * UNDER ? `${is}: does the camera see anything?` : null,
      ],
      is,
      { bitsPerSecond: Math.round(bitsPerSecond) },
      { bitsPerSecondMin: asked * UNDER, bitsPerSecondMax: asked * OVER },
    )
  },
}

function megabits(bitsPerSecond: number): string {
  return `${(bitsPerSecond / 1_000_000).toFixed(2)} Mbit/s`
}
