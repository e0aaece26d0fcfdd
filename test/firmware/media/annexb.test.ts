import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { AccessUnitParser } from "../../../firmware/media/annexb.ts"
import type { Piece } from "../../../firmware/ports.ts"
import { cutAt, expectRising, FRAME, live, parse, sameNals, timesFor, timesOf } from "./access-units.ts"
import { footage } from "./film.ts"
import { annexB, hexOf, pictures, pps, sps, whole } from "./synthetic.ts"

describe("access units", () => {
  test("any split of a stream gives the same access units and times", () => {
    const all = pictures({ groups: 3, bFrames: true, slices: 3 })
    const stream = all.map(({ nals }, i) => annexB([Uint8Array.of(9, 0xf0), ...nals], i).subarray(0))
    const whole = parse(cutAt(stream, timesFor(all), []))
    expect(whole.flaws).toEqual([])
    expect(timesOf(whole.units)).toEqual(timesFor(all))
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 400 }), (cuts) => {
        const split = parse(cutAt(stream, timesFor(all), cuts))
        expect(split.flaws).toEqual([])
        expect(hexOf(split.units)).toEqual(hexOf(whole.units))
        expect(timesOf(split.units)).toEqual(timesOf(whole.units))
      }),
      { numRuns: 60 },
    )
  })

  test("one byte at a time is a split like any other", () => {
    const all = pictures({ groups: 2, slices: 2 })
    const stream = all.map(({ nals }) => annexB(nals))
    const cuts = Array.from({ length: Buffer.concat(stream).length }, (_, i) => i)
    const { units } = parse(cutAt(stream, timesFor(all), cuts))
    expect(hexOf(units)).toEqual(hexOf(all))
    expect(timesOf(units)).toEqual(timesFor(all))
  })

  test.for(["car-detection.mp4", "one-by-one-person-detection.mp4"])(
    "%s in random reads comes out bit for bit, with its times",
    async (name, { skip }) => {
      const real = await footage(name)
      if (real === null) return skip("footage is missing")
      const { film, stream } = real
      fc.assert(
        fc.property(fc.array(fc.nat(), { maxLength: 200 }), (cuts) => {
          const { units, flaws } = parse(cutAt(stream, film.units, cuts))
          expect(flaws).toEqual([])
          expect(timesOf(units)).toEqual(timesOf(film.units))
          expect(units.every((unit, i) => sameNals(unit, film.units[i]))).toBe(true)
          expect(units.map(({ keyFrame }) => keyFrame)).toEqual(film.units.map(({ keyFrame }) => keyFrame))
        }),
        { numRuns: 8 },
      )
    },
  )

  test("slices of one picture are one access unit, and zeros between NAL units are nobody's", () => {
    const all = pictures({ groups: 2, slices: 4 })
    const stream = all.map(({ nals }) => Buffer.concat([annexB(nals), Buffer.alloc(5)]))
    const { units, flaws } = parse(cutAt(stream, [], []))
    expect(flaws).toEqual([])
    expect(hexOf(units)).toEqual(hexOf(all))
  })

  test("parameter sets sent once are known at every later key frame", () => {
    const all = pictures({ groups: 3, setsOnce: true })
    const { units, flaws } = parse(live(all, 66))
    expect(flaws).toEqual([])
    expect(hexOf(units)).toEqual(hexOf(all))
    expect(new Set(units.map((unit) => unit.sets)).size).toBe(1)
    expect(units[0]?.sets).toMatchObject({ sps: sps(), pps: [pps()], picture: { width: 640, height: 480 } })
  })

  test("a piece that ends an access unit lets it out at once", () => {
    const parser = new AccessUnitParser({ framesPerSecond: 15, onFlaw: () => undefined })
    for (const piece of live(pictures({ groups: 1 }), 66))
      expect(parser.push({ ...piece, endsUnit: true })).toHaveLength(1)
    expect(parser.flush()).toEqual([])
  })

  test("NAL units within one piece are views of it", () => {
    const piece = {
      bytes: annexB(pictures({ groups: 1, sliceBytes: 900 }).flatMap(({ nals }) => nals)),
      at: 0,
    }
    for (const { nals } of parse([piece]).units)
      for (const nal of nals) expect(nal.map(({ buffer }) => buffer === piece.bytes.buffer)).toEqual([true])
  })

  test("NAL units that span reads are views of them too, and the same wherever the reads end", () => {
    const all = pictures({ groups: 2, perGroup: 2, sliceBytes: 14_000 })
    const stream = Buffer.concat(all.map(({ nals }) => Buffer.concat([annexB(nals), Buffer.alloc(2)])))
    const read = 8_192
    // Every byte about a start code, and one in seven elsewhere.
    const near = new Set<number>()
    for (let at = stream.indexOf("000001", 0, "hex"); at !== -1; at = stream.indexOf("000001", at + 3, "hex"))
      for (let by = -100; by <= 100; by++) near.add((at + by + read) % read)
    let most = 0
    for (let offset = 0; offset < read; offset++) {
      if (offset % 7 > 0 && !near.has(offset)) continue
      const pieces: Piece[] = []
      for (let from = 0, to = offset; from < stream.length; from = to, to += read)
        pieces.push({ bytes: stream.subarray(from, to), at: 0 })
      const { units, flaws } = parse(pieces)
      const nals = units.flatMap((unit) => unit.nals)
      const same = flaws.length === 0 && units.every((unit, i) => sameNals(unit, all[i]))
      const headed = nals.every((nal) => nal.length === 1 || nal[0].length >= 64)
      const views = nals.every(
        (nal) => nal.length === 1 || nal.every(({ buffer }) => buffer === stream.buffer),
      )
      if (units.length !== all.length || !same || !headed || !views)
        expect.fail(`where the first read ends at byte ${offset}: ${JSON.stringify({ same, headed, views })}`)
      most = Math.max(most, ...nals.map((nal) => nal.length))
    }
    expect(most).toBe(3)
  })

  test.for([1, 7, 300, 3_000])("a picture in pieces of %d bytes is no heap of tiny parts", (size) => {
    const all = pictures({ groups: 2, perGroup: 2, slices: 3, sliceBytes: 9_000 })
    const stream = Buffer.concat(all.map(({ nals }) => annexB(nals)))
    const cuts = Array.from({ length: Math.floor(stream.length / size) }, (_, i) => i * size)
    const { units } = parse(cutAt([stream], [], cuts))
    expect(hexOf(units)).toEqual(hexOf(all))
    for (const nal of units.flatMap(({ nals }) => nals))
      expect(nal.length === 1 || whole(nal).length / nal.length >= 4_096).toBe(true)
  })

  test("parameter sets are read wherever a large piece ends", () => {
    const [first, ...others] = pictures({ groups: 1, sliceBytes: 9_000 })
    if (first === undefined) throw new Error("no picture")
    const stream = Buffer.concat([first, ...others].map(({ nals }) => annexB(nals)))
    for (let cut = 1; cut < 80; cut++) {
      const { units } = parse([
        { bytes: stream.subarray(0, cut), at: 0 },
        { bytes: stream.subarray(cut), at: 0 },
      ])
      expect(units[0]?.sets).toMatchObject({ sps: sps(), pps: [pps()] })
    }
  })
})

describe("times without a clock", () => {
  test.for([
    [15, 80],
    [15, 33],
    [30, 100],
    [25, 40],
  ] as const)(
    "a nominal rate of %d where a picture comes every %d ms still gives the right duration",
    ([nominal, period]) => {
      const { units } = parse(live(pictures({ groups: 60 }), period), nominal)
      const duration = ((units.at(-1)?.dts ?? 0) - (units[0]?.dts ?? 0)) / 90
      expect(Math.abs(duration - 479 * period)).toBeLessThan(5)
      expectRising(units.map(({ dts }) => dts))
    },
  )

  test("reads of several pictures have the right duration too", () => {
    const all = pictures({ groups: 40 })
    const pieces = Array.from({ length: 80 }, (_, i) => ({
      bytes: annexB(all.slice(i * 4, i * 4 + 4).flatMap(({ nals }) => nals)),
      at: (i + 1) * 4 * 80,
    }))
    const { units } = parse(pieces, 15)
    const duration = ((units.at(-1)?.dts ?? 0) - (units[0]?.dts ?? 0)) / 90
    expect(Math.abs(duration - 319 * 80)).toBeLessThan(80)
    expectRising(units.map(({ dts }) => dts))
  })

  test("late reads do not shake the pictures, and a real gap stays one", () => {
    const pieces = live(pictures({ groups: 20 }), 67).map((piece, i) => ({
      ...piece,
      at: piece.at + (i % 7) * 9 + (i >= 80 ? 5_000 : 0),
    }))
    const dts = parse(pieces).units.map((unit) => unit.dts / 90)
    const steps = dts.slice(1).map((time, i) => time - (dts[i] ?? 0))
    expect(steps[79]).toBeGreaterThan(4_900)
    expect(steps.toSpliced(79, 1).every((step) => step > 50 && step < 85)).toBe(true)
  })

  test("B-frames are shown in order and evenly, never before they are decoded", () => {
    const all = pictures({ groups: 6, perGroup: 13, bFrames: true })
    const { units } = parse(live(all, 1_000 / 15))
    const shown = units
      .map(({ pts }, i) => ({ pts, shown: all[i]?.shown ?? 0 }))
      .sort((a, b) => a.pts - b.pts)
    expect(shown.map((picture) => picture.shown)).toEqual(all.map((_, i) => i))
    for (const [i, { pts }] of shown.slice(1).entries())
      expect(Math.abs(pts - (shown[i]?.pts ?? 0) - FRAME)).toBeLessThan(60)
    for (const { pts, dts } of units) expect(pts).toBeGreaterThanOrEqual(dts)
  })

  test("the stream's own reorder delay is used where it tells it", () => {
    const all = pictures({ groups: 1, sps: sps({ reorderFrames: 1, referenceFrames: 4 }) })
    const { units } = parse(live(all, 1_000 / 15))
    for (const { pts, dts } of units) expect(pts - dts).toBe(FRAME)
  })

  test("a lens whose clock starts anew goes on, and time never falls", () => {
    const all = pictures({ groups: 2 })
    const pieces = live(all, 67).map((piece, i) => {
      const time = 900_000 + (i % 8) * FRAME
      return { ...piece, timing: [{ pts: time, dts: time }] }
    })
    const { units } = parse(pieces)
    expectRising(units.map(({ dts }) => dts))
    expect((units[8]?.dts ?? 0) - (units[7]?.dts ?? 0)).toBe(67 * 90)
  })
})
