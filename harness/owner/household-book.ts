import { z } from "zod"
import { deviceId, objectId, recipientsShape, sha256 } from "../../firmware/control/protocol.ts"
import { Fault } from "../../firmware/errors.ts"
import type { UnixMilliseconds } from "../../firmware/units.ts"

/**
 * What a household knows that its root alone does not say: its keys after the first, its cameras with the recipients
 * signed for each, its members, and what was shared with whom. Changes are pure: each gives the next version.
 *
 * Key 0 follows from the root. Every later key is fresh and random, so that whoever had one has no other.
 */
const time = z.number().min(0)
const recipient = recipientsShape.shape.keys.def.items[0]
const name = z
  .string()
  .min(1)
  .max(40)
  .regex(/^[^\p{Cc}\p{Cf}]+$/u, "a name has no control characters")

/** One "recipients" statement that the owner has signed. Signing is deterministic, so the envelope can be made again. */
const epochShape = z.strictObject({
  epoch: z.int().min(1),
  /** Number of the household key. */
  key: z.int().min(0),
  signedAt: time,
  /** The newest sequence that the cloud had shown by then: what comes later under an older epoch came late. */
  newest: z.int().min(-1),
})

/** The access log that must tell of a camera, as it was pinned when the two were paired. */
const pinnedLogShape = z.strictObject({ origin: z.string().min(1).max(200), key: sha256 })
export type PinnedLog = z.infer<typeof pinnedLogShape>

const cameraShape = z.strictObject({
  device: deviceId,
  key: sha256,
  /** Absent: none was pinned, or the book is older than its pins. */
  log: pinnedLogShape.optional(),
  /** By rising epoch. */
  epochs: z.array(epochShape).min(1).max(2_500),
  /** The highest epoch that a signed heartbeat of the camera has named; 0: none yet. */
  confirmed: z.int().min(0),
  /** Reset, given away or broken: its clips are still listed, and it is asked for nothing any more. */
  retired: z.boolean(),
})

const memberShape = z.strictObject({
  name,
  recipient,
  addedAt: time,
  /** The first household key that this member was given. */
  from: z.int().min(0),
  /** The last one; null: still a member. */
  until: z.int().min(0).nullable(),
  removedAt: time.nullable(),
})

const shareShape = z.strictObject({ clip: objectId, recipient, reason: z.string().max(120), at: time })

export const bookShape = z.strictObject({
  format: z.literal(1),
  /** Counts changes. */
  version: z.int().min(0),
  keys: z
    .array(z.strictObject({ secret: z.string().regex(/^AGE-SECRET-KEY-[0-9A-Z-]{50,90}$/), since: time }))
    .max(2_000),
  cameras: z.array(cameraShape).max(100),
  members: z.array(memberShape).max(200),
  shares: z.array(shareShape).max(1_000),
})
export type Book = z.infer<typeof bookShape>
export type BookCamera = z.infer<typeof cameraShape>
export type Member = z.infer<typeof memberShape>
export type Share = z.infer<typeof shareShape>

export const EMPTY_BOOK: Book = { format: 1, version: 0, keys: [], cameras: [], members: [], shares: [] }

/** Number of the household key that is in use. */
export const keyInUse = (book: Book): number => book.keys.length

export const isMember = ({ until }: Member): boolean => until === null

/** @throws Fault "usage", definite: a weekly rotation fills this in 38 years. */
export function withKey(book: Book, secret: string, since: UnixMilliseconds): Book {
  return next(book, { keys: [...book.keys, { secret, since }] })
}

/** A camera that was just paired: its first epoch is for `householdKey`. */
export function withCamera(
  book: Book,
  { id, hex }: { readonly id: string; readonly hex: string },
  at: UnixMilliseconds,
  householdKey = keyInUse(book),
  log?: PinnedLog,
): Book {
  const camera: BookCamera = {
    device: id,
    key: hex,
    ...(log ? { log } : {}),
    epochs: [{ epoch: 1, key: householdKey, signedAt: at, newest: -1 }],
    confirmed: 0,
    retired: false,
  }
  return next(book, { cameras: [...book.cameras.filter(({ device }) => device !== id), camera] })
}

/** The log that must tell of a camera: an owner who is restored from the root knows it by the book alone. */
export function withLog(book: Book, device: string, log: PinnedLog): Book {
  return changeCamera(book, device, (camera) => ({ ...camera, log }))
}

/** Above every epoch that was signed, and above `seen`, which the camera has named: it takes nothing lower. */
export function nextEpoch({ epochs }: BookCamera, seen: number): number {
  return Math.max(seen, ...epochs.map(({ epoch }) => epoch)) + 1
}

export function withEpoch(
  book: Book,
  device: string,
  epoch: Omit<BookCamera["epochs"][number], "key">,
): Book {
  return changeCamera(book, device, (camera) => ({
    ...camera,
    epochs: [...camera.epochs, { ...epoch, key: keyInUse(book) }],
  }))
}

export function withConfirmed(book: Book, device: string, epoch: number): Book {
  return changeCamera(book, device, (camera) => ({
    ...camera,
    confirmed: Math.max(camera.confirmed, epoch),
  }))
}

/** @throws Fault "usage", definite: no such camera. */
export function withRetired(book: Book, device: string): Book {
  if (!book.cameras.some((camera) => camera.device === device))
    throw new Fault("usage", `no camera ${device} in this household; "obscura owner household" shows them`)
  return changeCamera(book, device, (camera) => ({ ...camera, retired: true }))
}

/** @throws Fault "usage", definite: somebody has this name, or this recipient is a member. */
export function withMember(book: Book, who: Pick<Member, "name" | "recipient">, at: UnixMilliseconds): Book {
  for (const member of book.members.filter(isMember)) {
    if (member.name === who.name) throw new Fault("usage", `${who.name} is a member already`)
    if (member.recipient === who.recipient)
      throw new Fault("usage", `this recipient is a member already, as ${member.name}`)
  }
  const member = { ...who, addedAt: at, from: keyInUse(book), until: null, removedAt: null }
  return next(book, { members: [...book.members, member] })
}

/**
 * Without a rotation this is no removal: whoever has the key in use has it. The caller gives the next key with it.
 * @throws Fault "usage", definite: no such member.
 */
export function withoutMember(book: Book, who: string, at: UnixMilliseconds, nextSecret: string): Book {
  if (!book.members.some((member) => isMember(member) && member.name === who))
    throw new Fault("usage", `${who} is no member; "obscura owner members list" shows who is`)
  const members = book.members.map((member) =>
    isMember(member) && member.name === who ? { ...member, until: keyInUse(book), removedAt: at } : member,
  )
  return withKey({ ...book, members }, nextSecret, at)
}

/** The oldest record goes when there are too many. */
export function withShare(book: Book, share: Share): Book {
  return next(book, { shares: [...book.shares, share].slice(-1_000) })
}

function changeCamera(book: Book, device: string, change: (camera: BookCamera) => BookCamera): Book {
  return next(book, {
    cameras: book.cameras.map((camera) => (camera.device === device ? change(camera) : camera)),
  })
}

/** @throws Fault "usage", definite: no room. */
function next(book: Book, change: Partial<Book>): Book {
  const read = bookShape.safeParse({ ...book, ...change, version: book.version + 1 })
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw new Fault(
    "usage",
    `the household's book does not take this: ${issue?.path.join(".")}: ${issue?.message}`,
  )
}
