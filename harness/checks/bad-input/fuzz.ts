import { createHash } from "node:crypto"
import { SIGNED_KINDS } from "../../../firmware/control/dsse.ts"
import { sha256Hex } from "../../../firmware/control/keys.ts"
import type { Random } from "../../../firmware/ports.ts"
import { seededRandom } from "../../../simulator/random.ts"
import { everyDoor } from "../worlds/doors.ts"
import { everyKind } from "../worlds/kinds.ts"
import { everyParser } from "../worlds/parsers.ts"
import { changed } from "./changes.ts"

/** Something that reads messages of one kind, and one that it takes. */
export interface FuzzSubject {
  /** A kind of `protocol.ts`, or of what else is parsed. */
  readonly name: string
  readonly sample: Buffer
  /** What else is on the wire, to splice in. */
  readonly others: readonly Buffer[]
  /** Whatever is changed in the sample, it must not be taken. */
  readonly isAuthentic: boolean
  /** Was it taken? Throws nothing but what is a crash. */
  takes(bytes: Buffer): Promise<boolean>
}

/** Every kind that is signed, at all of its doors, and everything else that is parsed. */
export async function fuzzSubjects(seed: number): Promise<readonly FuzzSubject[]> {
  const world = await everyKind(createHash("sha256").update(`fuzz ${seed}`).digest())
  const doors = await everyDoor(world)
  const messages = Object.values(world.messages)
  const signed = SIGNED_KINDS.map((kind): FuzzSubject => {
    const own = doors.filter((door) => door.kind === kind)
    const takes = async (bytes: Buffer) => {
      let taken = false
      for (const door of own) if ((await door.takes(bytes)) && door.isThorough) taken = true
      return taken
    }
    return { name: kind, sample: world.messages[kind], others: messages, isAuthentic: true, takes }
  })
  const parsers = (await everyParser(world)).map((parser) => ({ ...parser, others: messages }))
  return [...signed, ...parsers]
}

export interface FuzzRun {
  /** SHA-256 of what was tried. */
  readonly hash: string
  readonly bytes: number
  /** What was wrong; null: it was refused, or is another valid message. */
  readonly flaw: string | null
}

/** One run: the same for the same subject, seed and number. */
export async function tryOnce(subject: FuzzSubject, seed: number, run: number): Promise<FuzzRun> {
  const random: Random = seededRandom(seed, subject.name, run)
  const bytes = changed(subject.sample, subject.others, random)
  return { hash: sha256Hex(bytes), bytes: bytes.length, flaw: await flawOf(subject, bytes) }
}

async function flawOf({ sample, isAuthentic, takes }: FuzzSubject, bytes: Buffer): Promise<string | null> {
  if (bytes.equals(sample)) return null
  try {
    const taken = await takes(bytes)
    return taken && isAuthentic ? "taken, though it was changed" : null
  } catch (error) {
    return `crashed: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`
  }
}
