import { randomBytes } from "node:crypto"
import { z } from "zod"
import type { CameraConfig } from "../../firmware/config.ts"
import { sign, verify } from "../../firmware/control/dsse.ts"
import { publicKeyFromHex, sha256Hex } from "../../firmware/control/keys.ts"
import { Link, type LinkParts } from "../../firmware/control/link.ts"
import {
  CHUNK_DATA_BYTES_MAX,
  CHUNK_HEADER_BYTES,
  chunkFrame,
  decodeHave,
  deviceTopic,
  type Manifest,
  NO_MANIFEST,
  receiptShape,
  sha256,
} from "../../firmware/control/protocol.ts"
import { isFault } from "../../firmware/errors.ts"
import { type Milliseconds, minutes, type UnixMilliseconds } from "../../firmware/units.ts"
import { WakeUp } from "../../firmware/wake.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import type { Book } from "./household-book.ts"
import { openBook, sealBook } from "./household-file.ts"
import type { OwnerKeys } from "./keys.ts"
import { type ObjectSource, Vault } from "./vault.ts"

/**
 * The household's book in the cloud: a mailbox like a camera's, whose key follows from the root, with a chain of
 * manifests of one sealed object each. So the root alone finds it and opens it, the cloud signs for it as for a clip,
 * and sees one camera more that seldom says anything.
 */

/** Where the chain stands, and which version of the book it ends with. */
export const backupShape = z.strictObject({
  version: z.int().min(-1),
  newest: z.int().min(-1),
  head: sha256,
  /** When the cloud signed for it, by the owner's clock; 0: not known. */
  at: z.number().min(0),
})
export type Backup = z.infer<typeof backupShape>

export const NO_BACKUP: Backup = { version: -1, newest: -1, head: NO_MANIFEST, at: 0 }

export const DAY: Milliseconds = minutes(24 * 60)
/** Clouds let go what is old, and a book may change seldom: it is given anew long before. */
const RENEW_AFTER: Milliseconds = 14 * DAY

/** Whether the cloud has this book, as far as its owner knows, and will keep it for some time yet. */
export function isBackedUp(book: Book, backup: Backup, now: UnixMilliseconds): boolean {
  return backup.version === book.version && now - backup.at < RENEW_AFTER
}

/** Resolves once the cloud has signed that it holds the book; null when `signal` aborts first. */
export async function backUp(
  book: Book,
  keys: OwnerKeys,
  before: Backup,
  now: UnixMilliseconds,
  cloud: CloudIdentity,
  parts: LinkParts,
  config: CameraConfig["link"],
  signal: AbortSignal,
): Promise<Backup | null> {
  const { key, object, envelope } = await parcelOf(book, keys, before)
  const hash = sha256Hex(envelope)
  const receiptKey = publicKeyFromHex(cloud.receiptKey)
  const done = new AbortController()
  const stop = () => done.abort()
  signal.addEventListener("abort", stop, { once: true })
  const state = { received: false, held: 0 }
  const news = new WakeUp()
  const topic = (name: "have" | "receipt" | "manifest" | "chunk") => deviceTopic(key.id, name)
  const broker = { name: cloud.name, pin: cloud.brokerKey }
  const subscriptions = [topic("have"), topic("receipt")]
  const link = new Link(parts, config, { role: "camera", key, broker, subscriptions })
  link.onMessage((name, payload) => {
    try {
      if (name === topic("have")) {
        const have = decodeHave(payload)
        if ("held" in have && have.manifest === hash) state.held = have.held[0] ?? 0
      }
      if (name === topic("receipt"))
        state.received ||= verify("receipt", payload, receiptKey, receiptShape).manifest === hash
    } catch (error) {
      // Anybody's word, who carries it; it is said again.
      if (!isFault(error)) throw error
    }
    news.wake()
  })
  const running = link.run(done.signal)
  try {
    while (!state.received && (await link.whenConnected(done.signal))) {
      await send(link, topic("manifest"), envelope)
      for (let at = state.held; at < object.bytes.length; at += CHUNK_DATA_BYTES_MAX)
        await send(link, topic("chunk"), chunkOf(object, at))
      let late = false
      const cancel = parts.clock.after(config.resendAfter, () => {
        late = true
        news.wake()
      })
      while (!state.received && !late && !done.signal.aborted) await news.wait(done.signal)
      cancel()
    }
    return state.received ? { version: book.version, newest: before.newest + 1, head: hash, at: now } : null
  } finally {
    signal.removeEventListener("abort", stop)
    stop()
    await running
  }
}

/** The newest book that the cloud shows, and where its chain stands; null: none that opens. Nothing else is believed. */
export async function readBackup(
  source: ObjectSource,
  keys: OwnerKeys,
): Promise<{ readonly book: Book; readonly backup: Backup } | null> {
  const vault = new Vault(source, keys.bookKey, keys.identity)
  const { clips, links } = await vault.view()
  const books: Book[] = []
  for (const { summary } of clips) {
    if (summary?.fate !== "received") continue
    try {
      books.push(await openBook(await vault.sealed(summary), keys, summary.entry.commit))
    } catch (error) {
      // A damaged one: an older one is better than none, and the vault shows which is missing.
      if (!isFault(error)) throw error
    }
  }
  const [first, ...others] = books
  if (!first) return null
  const book = others.reduce((newest, each) => (each.version > newest.version ? each : newest), first)
  const last = links.at(-1)
  const backup = { version: book.version, newest: last?.to ?? -1, head: last?.hash ?? NO_MANIFEST, at: 0 }
  return { book, backup }
}

interface SealedBook {
  readonly id: string
  readonly bytes: Uint8Array
}

async function parcelOf(book: Book, keys: OwnerKeys, { newest, head }: Backup) {
  const { header, payload, payloadBytes, headerHash, payloadHash, commit } = await sealBook(book, keys)
  const key = keys.bookKey
  const id = () => randomBytes(16).toString("hex")
  const object: SealedBook = { id: id(), bytes: Buffer.concat([header, ...payload]) }
  const facts = { headerBytes: header.length, payloadBytes, headerHash, payloadHash, commit }
  const manifest: Manifest = {
    device: key.id,
    sequence: newest + 1,
    previous: head,
    epoch: 0,
    recipients: NO_MANIFEST,
    entries: [{ id: object.id, kind: "summary", clip: id(), index: 0, last: true, ...facts }],
  }
  return { key, object, envelope: sign("manifest", manifest, key) }
}

function chunkOf({ id, bytes }: SealedBook, at: number): Uint8Array {
  const data = bytes.subarray(at, at + CHUNK_DATA_BYTES_MAX)
  const frame = chunkFrame(id, at, data.length)
  frame.set(data, CHUNK_HEADER_BYTES)
  return frame
}

async function send(link: Link, topic: string, payload: Uint8Array): Promise<void> {
  try {
    await link.publish(topic, payload)
  } catch (error) {
    // It is sent again once there is a connection.
    if (!isFault(error, "unavailable")) throw error
  }
}
