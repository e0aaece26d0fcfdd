import { join } from "node:path"
import { z } from "zod"
import { sign } from "../../firmware/control/dsse.ts"
import { fromJson, toJson } from "../../firmware/control/json.ts"
import type { SigningKey } from "../../firmware/control/keys.ts"
import { objectId } from "../../firmware/control/protocol.ts"
import {
  BLIND_SPOTS_MAX,
  SHIFT_MAX,
  SHIFT_MIN,
  SPOTS_ACROSS,
  type TuningOrder,
} from "../../firmware/control/tuning.ts"
import type { Label } from "../../firmware/ports.ts"
import type { UnixMilliseconds } from "../../firmware/units.ts"
import { FolderFiles } from "./folder-files.ts"

/**
 * Verdicts that the owner has called wrong. They stay in the owner's folder, `marks/<device>.json`, mode 0600. All that
 * leaves it is what they come to: a "tuning" for that camera, numbers without clip, time or picture. Nothing here offers a
 * clip for labelling: that takes a consent of its own, signed, which may start from a mark.
 */

const LABELS: readonly Label[] = ["person", "animal", "vehicle"]
const label = z.enum(["person", "animal", "vehicle"])
const markShape = z.strictObject({
  clip: objectId,
  /** What the camera said; null: nothing. */
  said: label.nullable(),
  was: z.enum(["person", "animal", "vehicle", "nothing"]),
  /** Where its feet were, or what was taken for them: fractions from left and top. */
  at: z
    .tuple([z.number().min(0).max(1), z.number().min(0).max(1)])
    .readonly()
    .nullable(),
})
export type Mark = z.infer<typeof markShape>

const fileShape = z.strictObject({
  /** Of the newest tuning that was signed; 0: none. */
  number: z.int().min(0),
  marks: z.array(markShape),
})
export type MarkBook = z.infer<typeof fileShape>

/** The newest of so many count. */
const MARKS_MAX = 500
const FILE_BYTES_MAX = 1_000 + MARKS_MAX * 200

export class OwnerMarks {
  readonly #files: FolderFiles

  /** `directory`: the owner's folder. */
  constructor(directory: string) {
    this.#files = new FolderFiles(directory)
  }

  /** @throws Fault "malformed", definite: a damaged file. */
  async of(device: string): Promise<MarkBook> {
    const name = join("marks", `${device}.json`)
    const bytes = await this.#files.read(name)
    return bytes ? fromJson(bytes, fileShape, name, FILE_BYTES_MAX) : { number: 0, marks: [] }
  }

  /** @throws Fault "usage", definite: the folder cannot be written. */
  keep(device: string, book: MarkBook): Promise<void> {
    return this.#files.replace(join("marks", `${device}.json`), toJson(book))
  }
}

/** A clip has one mark: the newest. */
export function withMark({ number, marks }: MarkBook, mark: Mark): MarkBook {
  const others = marks.filter(({ clip }) => clip !== mark.clip)
  return { number, marks: [...others, mark].slice(-MARKS_MAX) }
}

export function withoutMark({ number, marks }: MarkBook, clip: string): MarkBook {
  return { number, marks: marks.filter((mark) => mark.clip !== clip) }
}

/** One wrong verdict moves a score by so much. */
const STEP = 0.05
/** One false alarm on a spot is chance. */
const SPOT_AFTER = 2

/**
 * What the marks come to, and nothing of when and which. A label that was said wrongly needs a higher score, one that was
 * overlooked a lower; a spot on which it was wrong twice, and right never, does not count for it.
 */
export function tuningOf(marks: readonly Mark[]): Pick<TuningOrder, "shift" | "blind"> {
  const of = <T>(make: (label: Label) => T) => ({
    person: make("person"),
    animal: make("animal"),
    vehicle: make("vehicle"),
  })
  return { shift: of((each) => shiftOf(marks, each)), blind: of((each) => blindOf(marks, each)) }
}

function shiftOf(marks: readonly Mark[], label: Label): number {
  const invented = marks.filter(({ said, was }) => said === label && was !== label).length
  const missed = marks.filter(({ said, was }) => said !== label && was === label).length
  const shift = Math.min(SHIFT_MAX, Math.max(SHIFT_MIN, STEP * (invented - missed)))
  return Math.round(shift * 100) / 100
}

function blindOf(marks: readonly Mark[], label: Label): number[] {
  const wrong = new Map<number, number>()
  const right = new Set<number>()
  for (const { said, was, at } of marks) {
    if (!at) continue
    const spot = spotOf(at)
    if (was === label) right.add(spot)
    else if (said === label) wrong.set(spot, (wrong.get(spot) ?? 0) + 1)
  }
  return [...wrong]
    .filter(([spot, count]) => count >= SPOT_AFTER && !right.has(spot))
    .sort(([a, often], [b, oftener]) => oftener - often || a - b)
    .slice(0, BLIND_SPOTS_MAX)
    .map(([spot]) => spot)
    .sort((a, b) => a - b)
}

function spotOf([x, y]: readonly [number, number]): number {
  const cell = (share: number) => Math.min(SPOTS_ACROSS - 1, Math.floor(share * SPOTS_ACROSS))
  return cell(y) * SPOTS_ACROSS + cell(x)
}

/**
 * A tuning of these marks, signed, and the book that remembers its number. Numbers are seconds of the wall clock where
 * that rises, so a folder that was restored from paper is heard, too.
 */
export function signedTuning(
  device: string,
  book: MarkBook,
  owner: SigningKey,
  now: UnixMilliseconds,
): { readonly envelope: Uint8Array; readonly book: MarkBook } {
  const number = Math.max(book.number + 1, Math.floor(now / 1_000))
  const order: TuningOrder = { device, number, ...tuningOf(book.marks) }
  return { envelope: sign("tuning", order, owner), book: { ...book, number } }
}

/** For a person. */
export function tuningInWords({ shift, blind }: Pick<TuningOrder, "shift" | "blind">): string {
  const scores = LABELS.filter((each) => shift[each] !== 0).map(
    (each) => `${each} ${shift[each] > 0 ? "+" : "-"}${Math.abs(shift[each]).toFixed(2)}`,
  )
  const spots = LABELS.filter((each) => blind[each].length > 0).map(
    (each) => `${each} not on ${blind[each].length} of ${SPOTS_ACROSS * SPOTS_ACROSS} spots`,
  )
  return [...scores, ...spots].join(", ") || "as it is configured"
}
