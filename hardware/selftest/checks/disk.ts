import { randomBytes } from "node:crypto"
import { floorAndSteps, nominalSegmentBytes } from "../../../firmware/delivery/padding.ts"
import { type Bytes, KiB, type Milliseconds, seconds } from "../../../firmware/units.ts"
import { type Check, type Finding, judged } from "../check.ts"

const PUTS = 40
/** A card so slow that it takes longer is slow enough to tell. */
const LONGEST: Milliseconds = seconds(20)
const PUT_BYTES: Bytes = 256 * KiB
/** A card that takes four times what the camera records still does when it is old and nearly full. */
const SPARE = 4

/** How fast the camera's medium makes bytes safe: written, synced, renamed, the folder synced. */
export const disk: Check = {
  name: "disk",
  mandatory: true,
  async run({ world, signal }): Promise<Finding> {
    const { clock, config } = world
    const store = world.scratch()
    const times: Milliseconds[] = []
    // Random, for some cards compress.
    const bytes = randomBytes(PUT_BYTES)
    const isEnough = () => times.length === PUTS || sum(times) > LONGEST || signal.aborted
    for (let put = 0; put === 0 || !isEnough(); put++) {
      const name = `try.${put}`
      const begunAt = clock.monotonic()
      await store.put(name, [bytes])
      times.push(clock.monotonic() - begunAt)
      await store.remove(name)
    }
    const megabytesPerSecond = (times.length * PUT_BYTES) / 1e3 / Math.max(0.001, sum(times))
    times.sort((a, b) => a - b)
    const [p50 = 0, p95 = 0] = [0.5, 0.95].map((share) => times[Math.floor(share * times.length)])
    const { segmentMin } = config.recording
    const segment = nominalSegmentBytes({ ...config.lens, segmentMin })
    const limits = {
      // The next segment is there by then.
      p95MillisecondsMax: segmentMin / 2,
      megabytesPerSecondMin: round((SPARE * floorAndSteps(segment)(segment)) / 1e3 / segmentMin),
    }
    const measured = {
      ...{ p50Milliseconds: round(p50), p95Milliseconds: round(p95) },
      megabytesPerSecond: round(megabytesPerSecond),
    }
    const is = `256 KiB are safe after ${measured.p50Milliseconds} ms (p95 ${measured.p95Milliseconds} ms), ${measured.megabytesPerSecond} MB/s`
    return judged(
      [
        p95 > limits.p95MillisecondsMax
          ? `slow: ${is}; p95 may be ${limits.p95MillisecondsMax} ms: another card, class A1 or better`
          : null,
        megabytesPerSecond < limits.megabytesPerSecondMin
          ? `slow: ${is}; it takes ${limits.megabytesPerSecondMin} MB/s: another card, class A1 or better`
          : null,
      ],
      is,
      measured,
      limits,
    )
  },
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
