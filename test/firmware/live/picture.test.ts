import fc from "fast-check"
import { expect, test } from "vitest"
import { namedBytes, partsOf, readPart } from "../../../firmware/control/live-messages.ts"
import { isFault } from "../../../firmware/errors.ts"
import { OpeningEnd, SealingEnd } from "../../../firmware/live/channel.ts"
import {
  decodeReport,
  encodePicture,
  encodeReport,
  PictureReader,
  stepOf,
} from "../../../firmware/live/picture.ts"
import { AccessUnitParser, type DecodableUnit } from "../../../firmware/media/annexb.ts"
import { nalBytes } from "../../../firmware/media/nal.ts"
import { LiveLook } from "../../../harness/owner/live-look.ts"
import { loadScene } from "../../../simulator/footage.ts"
import { mutant } from "../../mutants.ts"
import { newKey } from "./rig.ts"

const SESSION = "ab".repeat(16)
const footage = await loadScene("day-person")

/** Of the first groups of pictures of a scene. */
function pictures(): readonly DecodableUnit[] {
  const parser = new AccessUnitParser({ framesPerSecond: 15, onFlaw: () => undefined })
  return footage.groups
    .slice(0, 3)
    .flatMap(({ bytes }) => parser.push({ bytes, at: 1_234.5, endsUnit: true }))
}

const plainOf = (unit: DecodableUnit) => Buffer.concat(encodePicture(unit))

test("every picture reads back bit for bit, with its times and its decoder's parameter sets", () => {
  const reader = new PictureReader()
  const units = pictures()
  expect(units.length).toBeGreaterThan(30)
  let sets: DecodableUnit["sets"] | null = null
  for (const unit of units) {
    const read = reader.read(plainOf(unit))
    expect([read.keyFrame, read.at, read.pts, read.dts]).toEqual([unit.keyFrame, unit.at, unit.pts, unit.dts])
    expect(read.nals.map((nal) => Buffer.concat(nal))).toEqual(unit.nals.map((nal) => Buffer.concat(nal)))
    expect(read.sets.picture).toEqual(unit.sets.picture)
    // The same object as long as nothing changes, as a muxer wants it.
    expect(sets === null || sets === read.sets).toBe(true)
    sets = read.sets
  }
  expect(
    units.reduce((sum, { nals }) => sum + nals.reduce((n, nal) => n + nalBytes(nal), 0), 0),
  ).toBeGreaterThan(10_000)
})

/** Of all pictures of a film: how many sizes there are, of key frames and of the others. */
function sizesOf(encode: typeof encodePicture): readonly number[] {
  const sizes = (keyFrame: boolean) =>
    pictures()
      .filter((unit) => unit.keyFrame === keyFrame)
      .map((unit) => encode(unit).reduce((sum, piece) => sum + piece.length, 0))
  return [new Set(sizes(true)).size, new Set(sizes(false)).size]
}

test("what moves hardly changes the size of a picture", async () => {
  for (const unit of pictures()) {
    expect(stepOf(unit)).toBe(unit.keyFrame ? 16_384 : 4_096)
    expect(plainOf(unit).length % stepOf(unit)).toBe(0)
  }
  const [keys = 0, others = 0] = sizesOf(encodePicture)
  expect([keys <= 2, others <= 2]).toEqual([true, true])
  const path = "firmware/live/picture.ts"
  const mistake = { path, from: "paddedTo(bytes + END_BYTES, stepOf(unit)) - bytes", to: "END_BYTES" }
  const bare = await mutant<typeof import("../../../firmware/live/picture.ts")>(path, mistake)
  expect(sizesOf(bare.encodePicture)[1]).toBeGreaterThan(20)
})

test("a picture whose end is missing, or holds anything, is none", () => {
  const [key] = pictures()
  if (!key) throw new Error("no picture")
  const plain = plainOf(key)
  const end = plain.length - 1
  const changed = Buffer.from(plain)
  changed[end] = 1
  for (const bytes of [
    changed,
    Buffer.concat([plain, Buffer.of(1)]),
    Buffer.concat(encodePicture(key).slice(0, -1)),
  ])
    expect(() => new PictureReader().read(bytes)).toThrow("cut short")
})

test("whatever comes as a picture, a report or a part is read or refused, never a crash", () => {
  const [key] = pictures()
  if (!key) throw new Error("no picture")
  const plain = plainOf(key)
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.nat(plain.length).map((length) => plain.subarray(0, length)),
    fc.tuple(fc.nat(200), fc.nat(255)).map(([at, value]) => {
      const changed = Buffer.from(plain)
      changed[at] = value
      return changed
    }),
  )
  fc.assert(
    fc.property(anything, (bytes) => {
      const reads = [() => new PictureReader().read(bytes), () => decodeReport(bytes), () => readPart(bytes)]
      for (const read of reads)
        try {
          read()
        } catch (error) {
          if (!isFault(error, "malformed") && !isFault(error, "unsupported")) return false
        }
      return true
    }),
    { numRuns: 2_000 },
  )
})

test("whatever a cloud says to a viewer shows nothing and breaks nothing", () => {
  const [camera, viewer] = [newKey(), newKey()]
  const look = new LiveLook(camera, viewer, Buffer.from("no grant"))
  const envelope = Buffer.from(look.ask)
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
        fc.uint8Array({ minLength: 29, maxLength: 80 }).map((bytes) => Buffer.from([1, ...bytes])),
        fc.nat(envelope.length).map((length) => envelope.subarray(0, length)),
      ),
      (bytes) => look.hearAnswer(bytes) === null && look.hearPart(bytes) === null && !look.isOpen,
    ),
    { numRuns: 500 },
  )
})

test("a picture before any key frame is refused", () => {
  const other = pictures().find(({ keyFrame }) => !keyFrame)
  expect(() => other && new PictureReader().read(plainOf(other))).toThrow("before any key frame")
})

test("a sealed message of any size comes in parts that fit a payload, and opens as what it was", () => {
  fc.assert(
    fc.property(fc.nat(200_000), fc.nat(1_000_000), (length, counter) => {
      const named = namedBytes(SESSION, counter)
      const sealed = Buffer.alloc(length + 1, 7)
      const parts = [...partsOf(named, sealed)].map((part) => readPart(Buffer.concat(part)))
      expect(Buffer.concat(parts.map(({ data }) => data)).equals(sealed)).toBe(true)
      expect(parts.every((each, i) => each.part === i && each.counter === counter)).toBe(true)
      return parts.every(({ session, data }) => session === SESSION && data.length <= 64_971)
    }),
    { numRuns: 50 },
  )
})

test("the two directions have nothing in common, and a report reads back", () => {
  const key = (fill: number) => Buffer.alloc(32, fill)
  const seal = new SealingEnd(SESSION, key(1))
  const [message] = seal.seal([encodeReport({ leaves: false, counter: 2 ** 40 })])
  const part = readPart(Buffer.concat(message ?? []))
  expect(decodeReport(new OpeningEnd(SESSION, key(1)).open(part, part.data))).toEqual({
    leaves: false,
    counter: 2 ** 40,
  })
  expect(() => new OpeningEnd(SESSION, key(2)).open(part, part.data)).toThrow("seal does not hold")
  expect(() => new OpeningEnd("cd".repeat(16), key(1)).open(part, part.data)).toThrow("another session")
})
