import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { fromJson } from "../../../firmware/control/json.ts"
import {
  floorAndSteps,
  nominalSegmentBytes,
  padJson,
  padme,
  sidecar,
  unpadJson,
} from "../../../firmware/delivery/padding.ts"
import { KiB, MiB } from "../../../firmware/units.ts"

const nominal = 250_000
const floor = 320 * KiB
const sizes = { "floor and steps": floorAndSteps(nominal), padme, sidecar }
const bytes = fc.integer({ min: 0, max: 64 * MiB })

describe.each(Object.entries(sizes))("%s", (_, paddedSize) => {
  test("is never smaller than what it pads", () => {
    fc.assert(fc.property(bytes, (n) => paddedSize(n) >= n))
  })

  test("gives more bytes no smaller size", () => {
    fc.assert(fc.property(bytes, bytes, (a, b) => a > b || paddedSize(a) <= paddedSize(b)))
  })

  test("leaves a padded size as it is", () => {
    fc.assert(fc.property(bytes, (n) => paddedSize(paddedSize(n)) === paddedSize(n)))
  })
})

test("all segments up to 1.3 times the nominal size have one size", () => {
  expect(new Set([0, 1, nominal, nominal * 1.3].map(floorAndSteps(nominal)))).toEqual(new Set([floor]))
})

test("above the floor, sizes are whole steps of 32 KiB and no step is skipped", () => {
  const paddedSize = floorAndSteps(nominal)
  expect(paddedSize(floor + 1)).toBe(floor + 32 * KiB)
  fc.assert(
    fc.property(
      bytes,
      (n) => paddedSize(n) % (32 * KiB) === 0 && paddedSize(n) < Math.max(floor + 1, n + 32 * KiB),
    ),
  )
})

test("padme costs at most 12 %, and at most 3.2 % from 64 KiB on", () => {
  fc.assert(fc.property(bytes, (n) => padme(n) <= n * 1.12))
  fc.assert(fc.property(fc.integer({ min: 64 * KiB, max: 64 * MiB }), (n) => padme(n) <= n * 1.032))
})

// From the reference implementation's description (PETS 2019, §4.1) worked by hand.
test.each([
  [0, 0],
  [1, 1],
  [8, 8],
  [9, 10],
  [100, 104],
  [1_000, 1_024],
  [1_000_000, 1_015_808],
])("padme of %i is %i", (n, padded) => {
  expect(padme(n)).toBe(padded)
})

test("all sidecars up to 64 KiB have one size", () => {
  expect(sidecar(0)).toBe(64 * KiB)
  expect(sidecar(64 * KiB)).toBe(64 * KiB)
  expect(sidecar(64 * KiB + 1)).toBe(96 * KiB)
})

test("a nominal segment is whole groups of pictures, at least as long as asked", () => {
  const film = { bitsPerSecond: 2_000_000, segmentMin: 1_000 }
  expect(nominalSegmentBytes({ ...film, groupOfPictures: 1_000 })).toBe(250_000)
  expect(nominalSegmentBytes({ ...film, groupOfPictures: 4_800 })).toBe(1_200_000)
  expect(nominalSegmentBytes({ ...film, groupOfPictures: 400 })).toBe(300_000)
})

test("padded JSON is JSON of exactly the padded size, and canonical again without its padding", () => {
  const value = { label: "person", text: "naïve 🚲  " }
  const padded = padJson(value, sidecar)
  expect(padded.length).toBe(64 * KiB)
  expect(JSON.parse(Buffer.from(padded).toString())).toEqual(value)
  expect(fromJson(unpadJson(padded), z.unknown(), "test", KiB)).toEqual(value)
})
