import { createHash } from "node:crypto"
import fc from "fast-check"
import { beforeAll, describe, expect, test } from "vitest"
import type { Clock, PictureTime, Piece } from "../../firmware/ports.ts"
import { noFaults } from "../../simulator/faults.ts"
import { type Footage, loadScene } from "../../simulator/footage.ts"
import { noDetectorErrors, truthDetector } from "../../simulator/frames.ts"
import { type LensOptions, VirtualLens } from "../../simulator/lens.ts"
import { nalSpans } from "../../simulator/nals.ts"
import { seededRandom } from "../../simulator/random.ts"
import { readSei, writeSei } from "../../simulator/sei.ts"
import { expectedUnits } from "../../simulator/shot.ts"

let footage: Footage
beforeAll(async () => {
  footage = await loadScene("day-dog")
})

/** Time that passes only while somebody sleeps. */
function leapingClock(): Clock {
  let now = 1_000
  return {
    monotonic: () => now,
    real: () => ({ at: now, uncertainty: 0 }),
    sleep: async (duration) => {
      now += duration
      await new Promise(setImmediate)
    },
    after: () => () => undefined,
  }
}

function lensOf(options: Partial<LensOptions> = {}): VirtualLens {
  return new VirtualLens({ footage, clock: leapingClock(), camera: 7, canary: "canary-7", ...options })
}

/** Pieces until `groups` whole groups were taken. */
async function take(lens: VirtualLens, groups: number): Promise<Piece[]> {
  const stop = new AbortController()
  const pieces: Piece[] = []
  for await (const piece of lens.pieces(stop.signal)) {
    if (lens.groups > groups) break
    pieces.push(piece)
  }
  return pieces
}

function join(pieces: readonly Piece[]): Buffer {
  return Buffer.concat(pieces.map((piece) => piece.bytes))
}

function nalsOf(bytes: Uint8Array): Buffer[] {
  return nalSpans(bytes).map(({ begin, end }) => Buffer.from(bytes.subarray(begin, end)))
}

describe("a virtual lens", () => {
  test("gives exactly the units that the judge expects, with their times, across loops", async () => {
    const shot = { footage, camera: 7, canary: "canary-7", offset: 6 }
    const pieces = await take(lensOf({ offset: 6 }), 25)
    const expected = [...expectedUnits(shot, 0, 25)]
    expect(hashes(nalsOf(join(pieces)))).toEqual(hashes(expected.flatMap((unit) => unit.nals)))
    expect(pieces.flatMap((piece) => piece.timing ?? [])).toEqual(
      expected.map(({ pts, dts }) => ({ pts, dts })),
    )
    expect(expected.map((unit) => unit.dts)).toEqual(Array.from({ length: 375 }, (_, index) => index * 6_000))
    expect(expected.filter((unit) => unit.keyFrame).length).toBe(25)
  })

  test("says what it knows: a mark that begins the key frame, then the rest of its group, shared and whole", async () => {
    const [mark, rest] = await take(lensOf({ offset: 2 }), 1)
    expect(mark).toMatchObject({ startsKeyFrame: true, endsUnit: false })
    expect(mark?.timing?.length).toBe(1)
    expect(rest).toMatchObject({ startsKeyFrame: false, endsUnit: true })
    expect(rest?.timing?.length).toBe(14)
    expect(rest?.bytes).toBe(footage.groups[2]?.bytes)
    expect(mark?.bytes.buffer.byteLength).toBeLessThan(80)
  })

  test("hands a group over only when its last picture's time is over", async () => {
    const clock = leapingClock()
    const begun = clock.monotonic()
    const pieces = await take(lensOf({ clock }), 5)
    const late = pieces.map((piece, index) => piece.at - begun - 1_000 * (1 + Math.floor(index / 2)))
    for (const delay of late) {
      expect(delay).toBeGreaterThanOrEqual(0)
      expect(delay).toBeLessThan(20)
    }
  })

  test("gives the same bytes when split awkwardly, without hints", async () => {
    const split = { random: seededRandom(5) }
    const pieces = await take(lensOf({ split, pace: "unpaced" }), 12)
    expect(join(pieces).equals(join(await take(lensOf(), 12)))).toBe(true)
    expect(pieces.some((piece) => piece.bytes.length < 4)).toBe(true)
    for (const piece of pieces) expect(Object.keys(piece)).toEqual(["bytes", "at"])
  })

  test("split and timed, says of each piece which units begin in it", async () => {
    const pieces = await take(lensOf({ split: { random: seededRandom(6), timed: true } }), 12)
    const times: PictureTime[] = []
    for (const piece of pieces) times.push(...(piece.timing ?? []))
    const expected = [...expectedUnits({ footage, camera: 7, canary: "canary-7" }, 0, 12)]
    expect(times).toEqual(expected.map(({ pts, dts }) => ({ pts, dts })))
    const first = pieces.findIndex((piece, index) => index > 0 && (piece.timing?.length ?? 0) > 0)
    const before = join(pieces.slice(0, first)).length
    const keyFrame = expected[0]?.nals.reduce((sum, nal) => sum + 4 + nal.length, 0) ?? 0
    expect(before).toBeLessThanOrEqual(keyFrame)
    expect(before + (pieces[first]?.bytes.length ?? 0)).toBeGreaterThan(keyFrame)
  })

  test("two cameras of one footage never give the same stream", async () => {
    const one = await take(lensOf({ camera: 1 }), 2)
    const two = await take(lensOf({ camera: 2 }), 2)
    expect(join(one).equals(join(two))).toBe(false)
    expect(one[1]?.bytes).toBe(two[1]?.bytes)
  })

  test("puts the mark behind an access unit delimiter, and the judge expects it there", async () => {
    const delimiter = Uint8Array.of(0, 0, 0, 1, 9, 0xf0)
    const groups = footage.groups.map((group) => ({
      ...group,
      bytes: Buffer.concat([delimiter, group.bytes]),
      delimiterBytes: delimiter.length,
    }))
    const delimited = { ...footage, groups }
    const pieces = await take(lensOf({ footage: delimited }), 3)
    const found = nalsOf(join(pieces))
    expect(found.slice(0, 5).map((nal) => (nal[0] ?? 0) & 0x1f)).toEqual([9, 6, 7, 8, 5])
    const expected = [...expectedUnits({ footage: delimited, camera: 7, canary: "canary-7" }, 0, 3)]
    expect(hashes(found)).toEqual(hashes(expected.flatMap((unit) => unit.nals)))
  })

  test("ends when it is stopped, also in mid-sleep", async () => {
    const stop = new AbortController()
    const clock = { ...leapingClock(), sleep: async () => stop.abort() }
    const pieces: Piece[] = []
    for await (const piece of lensOf({ clock }).pieces(stop.signal)) pieces.push(piece)
    expect(pieces).toEqual([])
  })

  test("a dead lens fails as one that may come back, and goes on where it was", async () => {
    const lens = lensOf()
    await take(lens, 2)
    lens.faults = { ...noFaults.lens, dead: true }
    await expect(take(lens, 4)).rejects.toMatchObject({ kind: "unavailable", definite: false })
    lens.faults = noFaults.lens
    const [mark] = await take(lens, 4)
    expect(markIn(mark)).toMatchObject({ group: 3 })
  })

  test("a stalled lens lets pictures go by unseen", async () => {
    const lens = lensOf()
    lens.faults = { ...noFaults.lens, stalled: true }
    const stop = new AbortController()
    const pieces = lens.pieces(stop.signal)[Symbol.asyncIterator]()
    const next = pieces.next()
    while (lens.groups < 3) await new Promise(setImmediate)
    lens.faults = noFaults.lens
    const { value } = await next
    expect(markIn(value)?.group).toBeGreaterThanOrEqual(3)
    await pieces.return?.()
  })

  test("refuses a canary that no mark can hold", () => {
    expect(() => lensOf({ canary: "x".repeat(300) })).toThrow(/canary/)
  })
})

describe("a mark", () => {
  test("says again what was written, and holds no start code", () => {
    const words = fc.string({ maxLength: 100, unit: fc.constantFrom("\u0001", "\u0003", "a", "é") })
    const number = fc.oneof(fc.constantFrom(0, 1, 3, 256, 2 ** 32 - 1), fc.nat())
    fc.assert(
      fc.property(number, number, words, (camera, group, canary) => {
        const bytes = writeSei({ camera, group, canary })
        const nals = nalsOf(bytes)
        expect(nals.length).toBe(1)
        expect(nals[0] && readSei(nals[0])).toEqual({ camera, group, canary })
        expect([...bytes.subarray(4)].join()).not.toMatch(/(^|,)0,0,[0-2](,|$)/)
      }),
    )
  })

  test("is not seen in anything else", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => readSei(bytes) === null))
    const whole = writeSei({ camera: 1, group: 2, canary: "abc" }).subarray(4)
    for (let length = 0; length < whole.length; length++)
      expect(readSei(whole.subarray(0, length))).toBeNull()
  })
})

describe("eyes without a model", () => {
  const frame = { at: 0, width: 32, height: 18, luma: new Uint8Array(576) }
  const { signal } = new AbortController()

  test("see what was drawn at that moment, and nothing when nobody is there", async () => {
    const random = seededRandom(1)
    const detector = (time: number) => truthDetector({ footage, positionAt: () => time, random })
    expect(await detector(0.5).detect(frame, signal)).toEqual([])
    expect(await detector(4).detect(frame, signal)).toMatchObject([{ label: "animal" }])
  })

  test("err as often as they are told to, by their seed", async () => {
    const errors = { ...noDetectorErrors, missed: 1, invented: 1 }
    const look = () =>
      truthDetector({ footage, positionAt: () => 4, random: seededRandom(1), errors }).detect(frame, signal)
    const [invented] = await look()
    expect(invented?.score).toBeLessThan(0.8)
    expect(await look()).toEqual([invented])
  })

  test("see the moment that the lens shows", async () => {
    const clock = leapingClock()
    const lens = lensOf({ clock, offset: 3 })
    expect(lens.positionAt(clock.monotonic())).toBe(3)
    await take(lens, 2)
    expect(lens.positionAt(clock.monotonic())).toBeCloseTo(6, 1)
    expect(lens.positionAt(clock.monotonic() + 5_000)).toBeCloseTo(1, 1)
  })

  test("saw what the lens showed before, too", async () => {
    const clock = leapingClock()
    const lens = lensOf({ clock, offset: 3 })
    await take(lens, 2)
    const now = clock.monotonic()
    expect(lens.positionAt(now - 1_000)).toBeCloseTo(lens.positionAt(now) - 1, 6)
    expect(lens.positionAt(now - 8_000)).toBeCloseTo(lens.positionAt(now) + 2, 6)
  })
})

/** Comparing hashes is a hundred times quicker than a deep comparison of bytes, and says as much. */
function hashes(nals: readonly Uint8Array[]): string[] {
  return nals.map((nal) => createHash("sha256").update(nal).digest("hex"))
}

function markIn(piece: Piece | undefined) {
  const [nal] = nalsOf(piece?.bytes ?? new Uint8Array())
  return nal ? readSei(nal) : null
}
