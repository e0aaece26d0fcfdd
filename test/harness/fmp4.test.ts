import fc from "fast-check"
import { beforeAll, describe, expect, test } from "vitest"
import { isFault } from "../../firmware/errors.ts"
import { AccessUnitParser, type DecodableUnit } from "../../firmware/media/annexb.ts"
import { segmentsOf } from "../../firmware/media/segments.ts"
import { compareWithSource, coversMotion } from "../../harness/owner/compare.ts"
import { type Fmp4, readFmp4 } from "../../harness/owner/fmp4.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { loadFilm } from "../../simulator/film.ts"
import { loadScene } from "../../simulator/footage.ts"
import { VirtualLens } from "../../simulator/lens.ts"
import type { Shot } from "../../simulator/shot.ts"
import { sharedData } from "../support.ts"

/** What a camera would record of its first `groups` groups of pictures, segments joined. */
async function record(shot: Shot, groups: number): Promise<Buffer> {
  const lens = new VirtualLens({ ...shot, clock: virtualClock(), pace: "unpaced" })
  const stop = new AbortController()
  const parser = new AccessUnitParser({ framesPerSecond: 15, onFlaw: () => undefined })
  async function* units(): AsyncGenerator<DecodableUnit> {
    for await (const piece of lens.pieces(stop.signal)) {
      yield* parser.push(piece)
      if (lens.groups > groups) stop.abort()
    }
  }
  let keyFrames = 0
  const segments = segmentsOf(units(), {
    segmentMin: 1_000,
    clipMax: 3_600_000,
    pad: (bytes) => Math.ceil((bytes + 8) / 4_096) * 4_096,
    until: ({ keyFrame }) => keyFrame && ++keyFrames > groups,
  })
  const parts: Uint8Array[] = []
  for await (const { bytes } of segments) parts.push(bytes)
  return Buffer.concat(parts)
}

let shot: Shot
let clip: Buffer
let read: Fmp4

beforeAll(async () => {
  shot = { footage: await loadScene("day-person"), camera: 7, canary: "canary of a test", offset: 3 }
  clip = await record(shot, 4)
  read = readFmp4(clip)
})

describe("reading a recorded clip back", () => {
  test("gives every access unit of the source, bit for bit and in time", () => {
    const units = [3, 4, 5, 6].reduce((sum, group) => sum + (shot.footage.groups[group]?.units ?? 0), 0)
    expect(compareWithSource(read, shot)).toEqual({ same: true, span: { from: 0, to: 4 }, units })
    expect(read.fragments).toBe(4)
    expect(read.paddingBytes).toBeGreaterThan(0)
  })

  test("holds for films with B-frames as well", async () => {
    const path = sharedData("footage/one-by-one-person-detection.mp4")
    if (!path) return
    const film = { footage: (await loadFilm(path)).footage, camera: 1, canary: "film" }
    const opened = readFmp4(await record(film, 3))
    expect(
      opened.samples.some(({ compositionOffset }) => compositionOffset !== opened.presentationStart),
    ).toBe(true)
    expect(compareWithSource(opened, film)).toMatchObject({ same: true, span: { from: 0, to: 3 } })
  })

  test.each<[string, (samples: Fmp4["samples"]) => Fmp4["samples"], RegExp]>([
    ["is missing", (all) => all.toSpliced(5, 1), /picture 4.*duration|picture 5/],
    ["is there twice", (all) => all.toSpliced(5, 0, all[5] ?? fail()), /picture 5|picture 6/],
    ["lacks a NAL unit", (all) => all.with(5, { ...(all[5] ?? fail()), nals: [] }), /picture 5.*NAL units/],
    [
      "has one other bit",
      (all) => {
        const [nal, ...rest] = (all[5] ?? fail()).nals.map((each) => Buffer.from(each))
        nal?.writeUInt8(nal.readUInt8(nal.length - 1) ^ 1, nal.length - 1)
        return all.with(5, { ...(all[5] ?? fail()), nals: nal ? [nal, ...rest] : [] })
      },
      /picture 5.*differs/,
    ],
    [
      "is decoded at another time",
      (all) => all.with(5, { ...(all[5] ?? fail()), decodeTime: 1 }),
      /picture 4.*duration|picture 5/,
    ],
    [
      "is shown at another time",
      (all) => all.with(5, { ...(all[5] ?? fail()), compositionOffset: 3_000 }),
      /picture 5.*shown/,
    ],
    [
      "is a key frame in name alone",
      (all) => all.with(5, { ...(all[5] ?? fail()), keyFrame: true }),
      /picture 5.*key frame/,
    ],
  ])("a picture that %s is found", (_, change, why) => {
    const compared = compareWithSource({ ...read, samples: change(read.samples) }, shot)
    expect(compared).toMatchObject({ same: false, why: expect.stringMatching(why) })
  })

  test("another camera's clip, and another run's, is found", () => {
    expect(compareWithSource(read, { ...shot, camera: 8 })).toMatchObject({ same: false })
    expect(compareWithSource(read, { ...shot, canary: "another" })).toMatchObject({ same: false })
    expect(compareWithSource({ ...read, samples: read.samples.slice(1) }, shot)).toMatchObject({
      same: false,
    })
  })
})

describe("the motion a clip was made for", () => {
  const limits = { preRoll: 2_000, clipMax: 120_000 }

  test("is covered from the pre-roll to its end", () => {
    const motion = { triggerGroup: 5, stillGroup: 8 }
    expect(coversMotion({ from: 3, to: 9 }, [], motion, shot, limits)).toBe(true)
    expect(coversMotion({ from: 4, to: 9 }, [], motion, shot, limits)).toBe(false)
    expect(coversMotion({ from: 3, to: 8 }, [], motion, shot, limits)).toBe(false)
    expect(coversMotion({ from: 6, to: 9 }, [], motion, shot, limits)).toBe(false)
  })

  test("needs no pre-roll that the camera could not have, nor one that the clip before shows", () => {
    const motion = { triggerGroup: 1, stillGroup: 1 }
    expect(coversMotion({ from: 0, to: 4 }, [], motion, shot, limits)).toBe(true)
    const later = { triggerGroup: 9, stillGroup: 9 }
    expect(coversMotion({ from: 9, to: 12 }, [{ from: 2, to: 9 }], later, shot, limits)).toBe(true)
    expect(coversMotion({ from: 9, to: 12 }, [{ from: 2, to: 8 }], later, shot, limits)).toBe(false)
  })
})

describe("malformed clips", () => {
  test("one cut anywhere but at a fragment's end is refused, and nothing but a Fault is thrown", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: clip.length - 1 }), (length) => {
        const outcome = readOrFault(clip.subarray(0, length))
        if (outcome !== "malformed") expect(outcome.fragments).toBeLessThan(4 + 1)
      }),
    )
  })

  test("no bytes at all, or any, are refused", () => {
    expect(readOrFault(new Uint8Array())).toBe("malformed")
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => readOrFault(bytes) === "malformed"))
  })

  test("a changed byte of a box header or table is refused, or gives no samples past the file's end", () => {
    const moof = clip.indexOf("moof") - 4
    fc.assert(
      fc.property(fc.integer({ min: 0, max: moof + 400 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(clip)
        damaged.writeUInt8(damaged.readUInt8(at) ^ flip, at)
        const outcome = readOrFault(damaged)
        if (outcome === "malformed") return
        const bytes = outcome.samples.flatMap(({ nals }) => nals).reduce((sum, nal) => sum + nal.length, 0)
        expect(bytes).toBeLessThan(damaged.length)
      }),
      { numRuns: 300 },
    )
  })
})

function readOrFault(bytes: Uint8Array): Fmp4 | "malformed" {
  try {
    return readFmp4(bytes)
  } catch (error) {
    if (isFault(error, "malformed")) return "malformed"
    throw error
  }
}

function fail(): never {
  throw new Error("the clip is shorter than this test thinks")
}
