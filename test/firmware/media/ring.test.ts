import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { MediaFlaw } from "../../../firmware/log.ts"
import type { DecodableUnit } from "../../../firmware/media/annexb.ts"
import { Ring, type RingOptions } from "../../../firmware/media/ring.ts"
import type { Piece } from "../../../firmware/ports.ts"
import { annexB, hexOf, type Picture, pictures, type StreamShape } from "./synthetic.ts"

/** Milliseconds a picture; 10 pictures a GOP, so one GOP a second. */
const PERIOD = 100
const never = new AbortController().signal

function ring(options: Partial<RingOptions> = {}) {
  const flaws: MediaFlaw[] = []
  const made = new Ring({
    duration: 2_000,
    bytesMax: 1_000_000,
    framesPerSecond: 10,
    onFlaw: (flaw) => flaws.push(flaw),
    ...options,
  })
  return { ring: made, flaws }
}

const film = (groups: number, shape: Partial<StreamShape> = {}) =>
  pictures({ groups, perGroup: 10, ...shape })
const piecesOf = (all: readonly Picture[]): Piece[] =>
  all.map(({ nals }, i) => ({ bytes: annexB(nals), at: i * PERIOD }))
const hinted = (all: readonly Picture[]): Piece[] =>
  piecesOf(all).map((piece, i) => ({ ...piece, startsKeyFrame: all[i]?.keyFrame === true, endsUnit: true }))

async function collect(units: AsyncIterable<DecodableUnit>): Promise<DecodableUnit[]> {
  const all: DecodableUnit[] = []
  for await (const unit of units) all.push(unit)
  return all
}

describe.for([
  ["with hints", hinted],
  ["without hints", piecesOf],
] as const)("a ring of pieces %s", ([, pieces]) => {
  test("starts a reader at the last key frame at or before the time asked for", async () => {
    const { ring: filled, flaws } = ring({ duration: 60_000 })
    for (const piece of pieces(film(5))) filled.push(piece)
    filled.close()
    for (const [at, first] of [
      [2_000, 20],
      [2_950, 20],
      [-1, 0],
      [99_000, 40],
    ] as const) {
      const units = await collect(filled.from(at, never))
      expect(units[0]).toMatchObject({ keyFrame: true, at: first * PERIOD })
      expect(hexOf(units)).toEqual(hexOf(film(5).slice(first)))
    }
    expect(flaws).toEqual([])
  })

  test("holds its duration and at most one GOP more", async () => {
    const { ring: filled } = ring({ duration: 2_000 })
    for (const piece of pieces(film(30))) filled.push(piece)
    filled.close()
    const units = await collect(filled.from(0, never))
    expect(units).toHaveLength(30)
    expect(units[0]?.keyFrame).toBe(true)
  })

  test("bytes win over duration, and one whole GOP stays while it fits", async () => {
    const { ring: filled } = ring({ duration: 60_000, bytesMax: 9_000 })
    for (const piece of pieces(film(20, { sliceBytes: 500 }))) {
      filled.push(piece)
      expect(filled.bytes).toBeLessThan(9_000 + piece.bytes.length)
    }
    filled.close()
    const units = await collect(filled.from(0, never))
    expect(units[0]?.keyFrame).toBe(true)
    expect(units.length).toBeGreaterThanOrEqual(10)
  })

  test("of a GOP that is too large only the bounded end is kept, and the next key frame starts readers again", async () => {
    const { ring: filled, flaws } = ring({ bytesMax: 3_000 })
    const all = film(2, { sliceBytes: 900 })
    for (const piece of pieces(all.slice(0, 11))) filled.push(piece)
    expect(filled.bytes).toBeLessThanOrEqual(3_000)
    filled.close()
    const units = await collect(filled.from(0, never))
    expect(hexOf(units)).toEqual(hexOf(all.slice(10, 11)))
    expect(flaws).toEqual([])
  })

  test("a stream whose parameter sets came but once can be read long after", async () => {
    const { ring: filled, flaws } = ring({ duration: 1_000 })
    const all = film(40, { setsOnce: true })
    for (const piece of pieces(all)) filled.push(piece)
    filled.close()
    const units = await collect(filled.from(38_500, never))
    expect(hexOf(units)).toEqual(hexOf(all.slice(380)))
    expect(flaws).toEqual([])
  })

  test("several readers follow the lens live, each from its own start", async () => {
    const { ring: live } = ring({ duration: 60_000 })
    const all = film(4)
    const [early, late] = [pieces(all.slice(0, 25)), pieces(all).slice(25)]
    for (const piece of early) live.push(piece)
    const readers = [
      collect(live.from(0, never)),
      collect(live.from(2_000, never)),
      collect(live.from(1_100, never)),
    ]
    for (const piece of late) {
      await Promise.resolve()
      live.push(piece)
    }
    live.close()
    const read = await Promise.all(readers)
    expect(read.map(hexOf)).toEqual([0, 20, 10].map((first) => hexOf(all.slice(first))))
  })

  test("a reader that falls behind goes on at a key frame that is still held, and that is told", async () => {
    const { ring: live, flaws } = ring({ duration: 1_000 })
    const all = film(20)
    const [first, ...rest] = pieces(all)
    if (first) live.push(first)
    for (const piece of rest.slice(0, 3)) live.push(piece)
    const reader = live.from(0, never)
    const units = [(await reader.next()).value]
    for (const piece of rest.slice(3)) live.push(piece)
    live.close()
    units.push(...(await collect(reader)))
    expect(flaws).toEqual(["before the first key frame"])
    const read = units.flatMap((unit) => unit ?? [])
    const resumed = read.findIndex((unit) => unit.at >= 18_000)
    expect(read[resumed]?.keyFrame).toBe(true)
    expect(hexOf(read.slice(resumed))).toEqual(hexOf(all.slice(180)))
  })

  test("an interruption ends who reads live, and the next reader goes on behind it", async () => {
    const { ring: live, flaws } = ring({ duration: 60_000 })
    const all = film(3)
    for (const piece of pieces(all).slice(0, 15)) live.push(piece)
    const reading = collect(live.from(0, never))
    await Promise.resolve()
    live.interrupt()
    const before = hexOf(await reading)
    expect(hexOf(all.slice(0, 15)).slice(0, before.length)).toEqual(before)
    expect(before.length).toBeGreaterThanOrEqual(14)
    for (const piece of pieces(all).slice(20)) live.push(piece)
    live.close()
    const after = hexOf(await collect(live.from(1_200, never)))
    expect(after.slice(-10)).toEqual(hexOf(all.slice(20)))
    expect(flaws).toEqual([])
  })

  test("a reader who waits for a lens that is away ends when it fails once more", async () => {
    const { ring: live } = ring({ duration: 60_000 })
    const all = film(1)
    for (const piece of pieces(all)) live.push(piece)
    live.interrupt()
    const reading = collect(live.from(0, never))
    await Promise.resolve()
    live.interrupt()
    expect(hexOf(all)).toEqual(expect.arrayContaining(hexOf(await reading)))
  })

  test("an abort ends a waiting reader without throwing", async () => {
    const { ring: live } = ring()
    const stop = new AbortController()
    const reading = collect(live.from(0, stop.signal))
    stop.abort()
    expect(await reading).toEqual([])
  })
})

test("pieces with a hint are not looked at", () => {
  const { ring: idle } = ring()
  for (const { at, startsKeyFrame } of hinted(film(20))) {
    const untouchable = new Proxy(new Uint8Array(10), {
      get: (target, key) => {
        if (key !== "length") throw new Error(`looked at ${String(key)}`)
        return target.length
      },
    })
    idle.push({ bytes: untouchable, at, ...(startsKeyFrame === undefined ? {} : { startsKeyFrame }) })
  }
})

test("key frames are found however their start codes are split", async () => {
  const all = film(3, { slices: 2, setsOnce: true })
  const bytes = Buffer.concat(all.map(({ nals }) => annexB(nals)))
  const lengths = all.map(({ nals }) => annexB(nals).length)
  const keyAt = lengths.slice(0, 20).reduce((sum, length) => sum + length, 0)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: bytes.length }), { maxLength: 60 }),
      fc.array(fc.integer({ min: -6, max: 8 }), { maxLength: 10 }),
      async (cuts, near) => {
        const ends = new Set([...cuts, ...near.map((offset) => keyAt + offset), bytes.length])
        const { ring: filled, flaws } = ring({ duration: 1e9 })
        let from = 0
        for (const to of [...ends].sort((a, b) => a - b)) {
          filled.push({ bytes: bytes.subarray(from, to), at: from })
          from = to
        }
        filled.close()
        const units = hexOf(await collect(filled.from(keyAt, never)))
        expect(flaws).toEqual([])
        expect(hexOf(all).slice(-units.length)).toEqual(units)
        expect(units.length).toBeGreaterThanOrEqual(10)
      },
    ),
    { numRuns: 200 },
  )
})
