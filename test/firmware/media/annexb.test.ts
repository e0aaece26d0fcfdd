import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { MediaFlaw } from "../../../firmware/log.ts"
import { AccessUnitParser, type DecodableUnit } from "../../../firmware/media/annexb.ts"
import type { PictureTime, Piece } from "../../../firmware/ports.ts"
import { footage } from "./film.ts"
import { annexB, hexOf, type Picture, pictures, pps, slice, sps, type WithNals, whole } from "./synthetic.ts"

const FRAME = 6_000

interface Parsed {
  readonly units: DecodableUnit[]
  readonly flaws: MediaFlaw[]
}

function parse(pieces: readonly Piece[], framesPerSecond = 15, unitBytesMax?: number): Parsed {
  const flaws: MediaFlaw[] = []
  const parser = new AccessUnitParser({
    framesPerSecond,
    onFlaw: (flaw) => flaws.push(flaw),
    ...(unitBytesMax === undefined ? {} : { unitBytesMax }),
  })
  return { units: [...pieces.flatMap((piece) => parser.push(piece)), ...parser.flush()], flaws }
}

/** The whole of `stream`, its access units one buffer each, in pieces that end at `cuts`; times go where units begin. */
function cutAt(
  stream: readonly Uint8Array[],
  times: readonly PictureTime[],
  cuts: readonly number[],
): Piece[] {
  const bytes = Buffer.concat(stream)
  const begins = [0]
  for (const unit of stream) begins.push((begins.at(-1) ?? 0) + unit.length)
  const ends = [...new Set([...cuts.map((cut) => cut % bytes.length), bytes.length])].sort((a, b) => a - b)
  let from = 0
  return ends.map((to) => {
    const timing = times.filter((_, i) => (begins[i] ?? 0) >= from && (begins[i] ?? 0) < to)
    const piece = { bytes: bytes.subarray(from, to), at: 1_000, timing }
    from = to
    return piece
  })
}

const timesOf = (units: readonly PictureTime[]) => units.map(({ pts, dts }) => ({ pts, dts }))
const timesFor = (all: readonly Picture[]): PictureTime[] =>
  all.map(({ shown }, i) => ({ dts: i * FRAME, pts: (shown + 2) * FRAME }))
/** As a camera that flushes each picture gives them. */
const live = (all: readonly Picture[], period: number): Piece[] =>
  all.map(({ nals }, i) => ({ bytes: annexB(nals), at: 1_000 + i * period }))

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
    let most = 0
    for (let offset = 0; offset < read; offset++) {
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

describe("bad input", () => {
  const group = () => pictures({ groups: 1 }).flatMap(({ nals }) => nals)

  test("a stream joined in the middle begins at its first key frame", () => {
    const all = pictures({ groups: 2 })
    const stream = all.slice(3).map(({ nals }) => annexB(nals))
    const { units, flaws } = parse(cutAt(stream, timesFor(all).slice(3), []))
    expect(flaws).toEqual(["before the first key frame"])
    expect(timesOf(units)).toEqual(timesFor(all).slice(8))
  })

  test.for<[MediaFlaw, Uint8Array[]]>([
    ["malformed slice", [slice({ frameNumber: 9 }).fill(0xff, 0, 1)]],
    ["malformed slice", [slice({ frameNumber: 9 }).subarray(0, 3)]],
    ["malformed slice", [slice({ frameNumber: 9, firstMacroblock: 4_000 })]],
    ["missing first slice", [slice({ frameNumber: 9, firstMacroblock: 40 })]],
    ["malformed parameter sets", [sps().subarray(0, 6), slice({ frameNumber: 9 })]],
    ["malformed parameter sets", [sps({ columns: 20 }), slice({ frameNumber: 9 })]],
    ["no parameter sets", [slice({ frameNumber: 9, ppsId: 3 })]],
    ["unit too large", [slice({ frameNumber: 9, bytes: 9_000 })]],
  ])("%s: skipped to the next key frame and told once", ([flaw, bad]) => {
    const stream = [...group(), ...bad, slice({ frameNumber: 10, pictureOrder: 20 }), ...group()]
    const { units, flaws } = parse([{ bytes: annexB(stream), at: 0 }], 15, 8_000)
    expect(flaws).toEqual([flaw])
    const good = hexOf(pictures({ groups: 1 }))
    const kept = hexOf(units)
    expect(kept.slice(-8)).toEqual(good)
    expect(good).toEqual(expect.arrayContaining(kept.slice(0, -8)))
    expect(kept.length).toBeGreaterThanOrEqual(8 + 7)
  })

  test("key frames without parameter sets are each told", () => {
    const nals = pictures({ groups: 2, setsOnce: true }).flatMap((picture) => picture.nals)
    const { units, flaws } = parse([{ bytes: annexB(nals.slice(2)), at: 0 }])
    expect(units).toEqual([])
    expect(flaws).toEqual(["no parameter sets", "no parameter sets"])
  })

  test("whatever the bytes, nothing throws, and the next whole group of pictures is found", () => {
    const clean = annexB(pictures({ groups: 4, slices: 2, bFrames: true }).flatMap(({ nals }) => nals))
    const damage = fc.record({
      at: fc.nat(),
      kind: fc.constantFrom("flip", "cut", "zero", "code"),
      n: fc.nat(200),
    })
    fc.assert(
      fc.property(
        fc.array(damage, { minLength: 1, maxLength: 30 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        (all, cuts) => {
          let bytes = Buffer.from(clean)
          for (const { at, kind, n } of all) {
            const p = at % bytes.length
            if (kind === "flip") bytes[p] = n
            else if (kind === "zero") bytes.fill(0, p, Math.min(bytes.length, p + n))
            else if (kind === "code") bytes.set([0, 0, 1, n].slice(0, bytes.length - p), p)
            else bytes = Buffer.concat([bytes.subarray(0, p), bytes.subarray(p + n)])
          }
          const after = pictures({ groups: 2 })
          const { units } = parse(cutAt([bytes, annexB(after.flatMap(({ nals }) => nals))], [], cuts))
          expect(hexOf(units.slice(-8))).toEqual(hexOf(after.slice(-8)))
          expectRising(units.map(({ dts }) => dts))
        },
      ),
      { numRuns: 300 },
    )
  })

  test("a NAL unit that never ends is not held", () => {
    const { units, flaws } = parse(
      [
        { bytes: annexB(group()), at: 0 },
        ...Array.from({ length: 2_000 }, () => ({ bytes: new Uint8Array(4_096).fill(0xab), at: 0 })),
        { bytes: annexB(group()), at: 0 },
      ],
      15,
      64 * 1024,
    )
    expect(flaws).toEqual(["unit too large"])
    expect(units).toHaveLength(7 + 8)
  })

  test("a NAL unit that is too large is skipped whether it comes in one read or in many", () => {
    const stream = annexB([...group(), slice({ frameNumber: 9, bytes: 40_000 }), ...group()])
    for (const size of [stream.length, 16_384, 5_000, 61, 1]) {
      const cuts = Array.from({ length: Math.ceil(stream.length / size) }, (_, i) => i * size)
      const { units, flaws } = parse(cutAt([stream], [], cuts), 15, 20_000)
      expect(flaws).toEqual(["unit too large"])
      expect(hexOf(units)).toEqual(hexOf([...pictures({ groups: 1 }), ...pictures({ groups: 1 })]))
    }
  })

  test("an access unit of a million tiny NAL units is not held", () => {
    const tiny = Buffer.alloc(400_000, Buffer.from([0, 0, 1, 6]))
    const { units, flaws } = parse([
      { bytes: annexB(group()), at: 0 },
      { bytes: tiny, at: 0 },
      ...live(pictures({ groups: 2 }), 66),
    ])
    expect(flaws).toEqual(["unit too large"])
    expect(units).toHaveLength(8 + 8)
  })
})

function expectRising(values: readonly number[]): void {
  expect(values.every((value, i) => i === 0 || value > (values[i - 1] ?? value))).toBe(true)
}

function sameNals(a: WithNals, b: WithNals | undefined): boolean {
  return (
    b !== undefined &&
    a.nals.length === b.nals.length &&
    a.nals.every((nal, i) => whole(nal).equals(whole(b.nals[i] ?? new Uint8Array())))
  )
}
