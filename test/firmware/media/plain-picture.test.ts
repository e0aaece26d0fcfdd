import { execFileSync } from "node:child_process"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { AccessUnitParser } from "../../../firmware/media/annexb.ts"
import { still } from "../../../firmware/media/muxer.ts"
import { plainBytes, plainPicture } from "../../../firmware/media/plain-picture.ts"
import type { Frame } from "../../../firmware/ports.ts"
import { coveredPicture } from "../../../firmware/recognise/covered.ts"
import { annexBOf } from "../../../firmware/recognise/key-frames.ts"
import { judge } from "../../support.ts"

/** Every sample another: zeros, ones and long runs of zeros included, for emulation prevention. */
function drawn(width: number, height: number, coloured = true): Frame {
  const sample = (i: number) => ((i * 37) % 11 < 4 ? (i % 5 === 0 ? 1 : 0) : (i * 101) % 256)
  const half = Math.ceil(width / 2) * Math.ceil(height / 2)
  const plane = (length: number, from: number) => Uint8Array.from({ length }, (_, i) => sample(i + from))
  const frame = { at: 5, width, height, luma: plane(width * height, 0) }
  return coloured ? { ...frame, chroma: { blue: plane(half, 3), red: plane(half, 9) } } : frame
}

/** As a decoder that is not ours sees it: planes without padding, 4:2:0. */
function decoded(unit: ReturnType<typeof plainPicture>): Buffer {
  const mp4 = still(unit, (size) => size + 100, new TextEncoder().encode("{}"))
  const out = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]
  return execFileSync("ffmpeg", ["-v", "error", "-i", "-", ...out], { input: mp4, maxBuffer: 2 ** 24 })
}

describe("a picture as an H.264 key frame without an encoder", () => {
  test.skipIf(judge("ffmpeg") === null).each([
    [16, 16],
    [64, 36],
    [150, 84],
  ])("of %i x %i is, sample for sample, what another decoder shows", (width, height) => {
    const frame = drawn(width, height)
    const whole = Buffer.concat([
      frame.luma,
      frame.chroma?.blue ?? [],
      frame.chroma?.red ?? [],
    ] as Uint8Array[])
    expect(decoded(plainPicture(frame)).equals(whole.map((sample) => Math.max(1, sample)))).toBe(true)
  })

  test("of any size is one key frame to our own parser, of that size, rounded up to even sides", () => {
    const side = fc.integer({ min: 1, max: 70 })
    fc.assert(
      fc.property(side, side, fc.boolean(), (width, height, coloured) => {
        const unit = plainPicture(drawn(width, height, coloured))
        const parser = new AccessUnitParser({ framesPerSecond: 1, onFlaw: (flaw) => expect(flaw).toBeNull() })
        const units = [...parser.push({ bytes: annexBOf(unit), at: 0 }), ...parser.flush()]
        expect(units.map(({ keyFrame }) => keyFrame)).toEqual([true])
        expect(units[0]?.sets.picture).toMatchObject({
          width: width + (width % 2),
          height: height + (height % 2),
        })
      }),
      { numRuns: 40 },
    )
  })

  test.each([16_000, 60_000, 320_000])("is made small enough for %i bytes, by averaging", (bytesMax) => {
    const unit = coveredPicture({ ...drawn(640, 360), luma: new Uint8Array(640 * 360).fill(99) }, 0, bytesMax)
    const { width, height } = unit.sets.picture
    expect(plainBytes(width, height)).toBeLessThanOrEqual(bytesMax)
    expect(plainBytes(width * 2, height * 2)).toBeGreaterThan(bytesMax / 3)
    expect(width / height).toBeCloseTo(640 / 360, 0)
  })

  test("without a frame is black", () => {
    expect(coveredPicture(null, 0, 30_000).sets.picture).toMatchObject({ width: 64, height: 36 })
  })
})
