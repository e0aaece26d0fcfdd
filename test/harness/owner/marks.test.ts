import { mkdtemp, readFile, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { unverified } from "../../../firmware/control/dsse.ts"
import { SHIFT_MAX, SHIFT_MIN, tuningShape } from "../../../firmware/control/tuning.ts"
import { OwnerKeys } from "../../../harness/owner/keys.ts"
import {
  type Mark,
  type MarkBook,
  OwnerMarks,
  signedTuning,
  tuningInWords,
  tuningOf,
  withMark,
  withoutMark,
} from "../../../harness/owner/marks.ts"

const EMPTY: MarkBook = { number: 0, marks: [] }
const DEVICE = "ab".repeat(20)
const clipOf = (index: number) => index.toString(16).padStart(32, "0")
const mark = (index: number, said: Mark["said"], was: Mark["was"], at: Mark["at"] = null): Mark => ({
  ...{ clip: clipOf(index), said, was, at },
})

test("a false alarm asks for a higher score, a miss for a lower, and neither beyond its bound", () => {
  expect(tuningOf([mark(1, "person", "nothing")]).shift).toEqual({ person: 0.05, animal: 0, vehicle: 0 })
  expect(tuningOf([mark(1, "vehicle", "animal")]).shift).toEqual({ person: 0, animal: -0.05, vehicle: 0.05 })
  const many = (said: Mark["said"], was: Mark["was"]) =>
    Array.from({ length: 50 }, (_, i) => mark(i, said, was))
  expect(tuningOf(many("person", "nothing")).shift.person).toBe(SHIFT_MAX)
  expect(tuningOf(many(null, "person")).shift.person).toBe(SHIFT_MIN)
})

test("a spot does not count where a label was wrong twice and right never", () => {
  const wrong = [mark(1, "person", "nothing", [0.9, 0.1]), mark(2, "person", "nothing", [1, 0])]
  expect(tuningOf(wrong.slice(1)).blind.person).toEqual([])
  expect(tuningOf(wrong).blind).toEqual({ person: [3], animal: [], vehicle: [] })
  expect(tuningOf([...wrong, mark(3, null, "person", [0.8, 0.2])]).blind.person).toEqual([])
})

test("whatever is marked, a camera takes what it comes to", () => {
  const everywhere = Array.from({ length: 64 }, (_, i) =>
    mark(i, "animal", "nothing", [(i % 8) / 8, Math.floor(i / 8) / 8]),
  )
  const order = { device: DEVICE, number: 1, ...tuningOf(everywhere) }
  expect(tuningShape.parse(order).blind.animal).toHaveLength(8)
})

test("a clip has one mark, the newest, and it can be taken back", () => {
  const book = withMark(withMark(EMPTY, mark(1, "person", "nothing")), mark(1, "person", "animal"))
  expect(book.marks).toEqual([mark(1, "person", "animal")])
  expect(tuningInWords(tuningOf(withoutMark(book, clipOf(1)).marks))).toBe("as it is configured")
  expect(tuningInWords(tuningOf(book.marks))).toBe("person +0.05, animal -0.05")
})

test("marks stay in a private file of the owner's; what leaves says nothing of a clip, and its number only rises", async () => {
  const folder = await mkdtemp(join(tmpdir(), "obscura-marks-"))
  try {
    const marks = new OwnerMarks(folder)
    const owner = (await OwnerKeys.create("x25519")).signingKeyFor(DEVICE)
    const book = withMark(await marks.of(DEVICE), mark(77, "person", "nothing", [0.1, 0.1]))
    const first = signedTuning(DEVICE, book, owner, 5_000)
    const again = signedTuning(DEVICE, first.book, owner, 1_000)
    await marks.keep(DEVICE, again.book)
    const said = unverified(again.envelope, tuningShape)
    expect([first.book.number, said?.number]).toEqual([5, 6])
    expect(JSON.stringify(said)).not.toContain(clipOf(77))
    expect(await marks.of(DEVICE)).toEqual({ ...book, number: 6 })
    expect((await stat(join(folder, "marks", `${DEVICE}.json`))).mode & 0o777).toBe(0o600)
    expect((await readFile(join(folder, "marks", `${DEVICE}.json`))).toString()).toContain(clipOf(77))
  } finally {
    await rm(folder, { recursive: true })
  }
})
