import fc from "fast-check"
import { expect, test } from "vitest"
import { isFault } from "../../../firmware/errors.ts"
import { parsePpsIds, parseSps } from "../../../firmware/media/sps.ts"
import { footage } from "./film.ts"
import { pps, sps } from "./synthetic.ts"

test("the picture size is the cropped one", () => {
  expect(parseSps(sps({ columns: 120, rows: 68, crop: [0, 0, 0, 4] }))).toMatchObject({
    width: 1920,
    height: 1080,
  })
})

test("profile, ids, order counts and reorder depth are read", () => {
  expect(parseSps(sps({ id: 3, profile: 100, reorderFrames: 2 }))).toMatchObject({
    id: 3,
    profile: 100,
    level: 31,
    chromaFormat: 1,
    bitDepthLuma: 8,
    frameNumberBits: 8,
    pictureOrderType: 0,
    pictureOrderBits: 8,
    reorderFramesMax: 2,
  })
  expect(parseSps(sps({ pictureOrderType: 2 }))).toMatchObject({
    pictureOrderBits: 0,
    reorderFramesMax: null,
  })
  expect(parsePpsIds(pps(7, 3))).toEqual({ id: 7, spsId: 3 })
})

test.for([
  ["car-detection.mp4", 66],
  ["one-by-one-person-detection.mp4", 77],
] as const)("the SPS of %s reads as another library reads it", async ([name, profile], { skip }) => {
  const real = await footage(name)
  if (real === null) return skip("footage is missing")
  const { width, height } = real.film
  expect(parseSps(real.film.units[0]?.nals[0] ?? new Uint8Array())).toMatchObject({ profile, width, height })
})

test("a parameter set cut anywhere, or of any bytes, is malformed or read, and nothing else", () => {
  const whole = sps({ profile: 100, reorderFrames: 2, crop: [0, 0, 0, 4] })
  for (let end = 0; end < whole.length; end++) {
    const cut = whole.subarray(0, end)
    expect(faultOf(() => parseSps(cut))).toBe("malformed")
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(["malformed", null]).toContain(faultOf(() => parseSps(bytes)))
      expect(["malformed", null]).toContain(faultOf(() => parsePpsIds(bytes)))
    }),
  )
})

test("a parameter set that is far too large is malformed", () => {
  expect(faultOf(() => parseSps(new Uint8Array(100_000)))).toBe("malformed")
  expect(faultOf(() => parsePpsIds(new Uint8Array(100_000)))).toBe("malformed")
})

function faultOf(task: () => unknown): string | null {
  try {
    task()
    return null
  } catch (error) {
    if (isFault(error)) return error.kind
    throw error
  }
}
