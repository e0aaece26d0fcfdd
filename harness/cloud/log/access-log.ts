import { randomBytes } from "node:crypto"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import type { SigningKey } from "../../../firmware/control/keys.ts"
import { Fault, isFault } from "../../../firmware/errors.ts"
import { type Milliseconds, seconds } from "../../../firmware/units.ts"
import { makeFolder } from "../../../hardware/make-folder.ts"
import { lockFolder, type Unlock } from "../bucket-lock.ts"
import { signCheckpoint } from "./checkpoint.ts"
import { Journal, journalsIn, readJournal, removeJournal } from "./journal.ts"
import { logFault, replaceFile, writeTiles } from "./log-disk.ts"
import { CHECKPOINT, NO_STATE, readEdge, readPublished, readState, replay, writeState } from "./log-state.ts"
import { encodeMailboxEntry, type MailboxEntry, Mailboxes, readMailbox, type Tip } from "./mailboxes.ts"
import { type AccessRecord, accessRecordShape, commitmentOf, encodeRecord, SALT_BYTES } from "./records.ts"
import type { TreeEdge } from "./tree-edge.ts"

/**
 * The access log of a cloud, in a folder:
 *
 *   public/    what anybody may read: checkpoint and tile/…, as c2sp.org/tlog-tiles wants them
 *   private/   journal, state, and the mailboxes, each for the owner of its device
 *
 * An append is durable when it resolves: its group is synced in the journal. Tiles, mailboxes and checkpoint follow at
 * most PUBLISH_EVERY later, and nothing is signed that could get lost again.
 */
export interface AccessLogOptions {
  readonly directory: string
  /** The name that checkpoints bear. */
  readonly origin: string
  readonly key: SigningKey
  /** A publication that failed; it is tried again with the next. */
  readonly onFault?: (error: Fault) => void
}

export interface Appended {
  /** Of the log's entries. */
  readonly index: number
  /** What stands in the tree. */
  readonly commitment: Uint8Array
}

interface Waiting {
  readonly record: AccessRecord
  readonly resolve: (appended: Appended) => void
  readonly reject: (error: unknown) => void
}

const PUBLISH_EVERY: Milliseconds = seconds(1)
/** So that the journal, and what an opening reads again, stays small. */
const PUBLISH_ENTRIES = 16_384
const GROUP_MAX = 4_096
const WAITING_MAX = 65_536

export const publicFolder = (directory: string): string => join(directory, "public")
export const privateFolder = (directory: string): string => join(directory, "private")

/** What the parts of a cloud need of it. */
export type LogOfAccesses = Pick<AccessLog, "append" | "mailbox" | "publish">

export class AccessLog {
  readonly #options: AccessLogOptions
  readonly #unlock: Unlock
  readonly #edge: TreeEdge
  readonly #mailboxes: Mailboxes
  #journal: Journal | null = null
  #published: number
  #waiting: Waiting[] = []
  #turn: Promise<unknown> = Promise.resolve()
  #timer: NodeJS.Timeout | null = null
  #closed = false

  private constructor(
    options: AccessLogOptions,
    unlock: Unlock,
    parts: { edge: TreeEdge; mailboxes: Mailboxes; published: number },
  ) {
    this.#options = options
    this.#unlock = unlock
    this.#edge = parts.edge
    this.#mailboxes = parts.mailboxes
    this.#published = parts.published
  }

  /**
   * Opens the log in `directory`, or makes one. What a crash left is brought to an end; every entry that was appended
   * is in the tree again, at its index.
   *
   * @throws Fault "usage", definite: another process has it, or the folder cannot be used; "tampered" or "malformed",
   *         definite: entries that were durable are gone or changed. Then it must be restored: a log that went on
   *         without them would sign a fork of itself.
   */
  static async open(options: AccessLogOptions): Promise<AccessLog> {
    const { directory, origin, key } = options
    await makeFolder(privateFolder(directory))
    await makeFolder(publicFolder(directory), 0o755)
    const unlock = await lock(directory)
    try {
      const root = publicFolder(directory)
      const inside = privateFolder(directory)
      const state = (await readState(inside)) ?? NO_STATE
      const edge = await readEdge(root, state)
      const published = await readPublished(root, state, { origin, key })
      const mailboxes = new Mailboxes(inside, state.shards)
      for (const first of await journalsIn(inside))
        for (const body of await readJournal(inside, first)) await replay(body, edge, mailboxes)
      const log = new AccessLog(options, unlock, { edge, mailboxes, published: published?.size ?? -1 })
      await log.#begin()
      return log
    } catch (error) {
      await unlock()
      throw logFault(error, directory)
    }
  }

  async #begin(): Promise<void> {
    try {
      await this.#publish()
      await this.#nextJournal()
    } catch (error) {
      await this.#journal?.close()
      throw error
    }
  }

  /** Entries that are durable. */
  get size(): number {
    return this.#edge.size
  }

  /**
   * Resolves when the record is durable.
   * @throws Fault "malformed", definite: no such record; "full", definite; "unavailable": definite when too much waits
   *         or the log is closed, indefinite when the disk failed: then it takes no more until it is opened anew.
   */
  append(record: AccessRecord): Promise<Appended> {
    const parsed = accessRecordShape.safeParse(record)
    if (!parsed.success)
      return Promise.reject(new Fault("malformed", "access log: no such record", { cause: parsed.error }))
    if (this.#closed || this.#waiting.length >= WAITING_MAX)
      return Promise.reject(
        new Fault("unavailable", `access log: ${this.#closed ? "closed" : "too many records wait"}`),
      )
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record: parsed.data, resolve, reject })
      if (this.#waiting.length === 1) void this.#inTurn(() => this.#appendWaiting())
    })
  }

  /** Makes all that was appended visible now, under a new checkpoint. @throws as `append`. */
  publish(): Promise<void> {
    return this.#inTurn(() => this.#publish())
  }

  /** What is there for the owner of `device`; the caller has made sure that it is the one who asks. */
  mailbox(device: string): Promise<readonly MailboxEntry[]> {
    return readMailbox(privateFolder(this.#options.directory), device)
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer) clearTimeout(this.#timer)
    try {
      await this.#inTurn(() => this.#publish())
    } finally {
      await this.#journal?.close()
      await this.#unlock()
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  async #appendWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.slice(0, GROUP_MAX)
      let outcome: () => void
      try {
        outcome = await this.#appendGroup(group)
      } catch (error) {
        const fault = this.#appendFault(error)
        outcome = () => {
          for (const { reject } of group) reject(fault)
        }
      }
      this.#waiting.splice(0, group.length)
      outcome()
      if (this.#edge.size - this.#published >= PUBLISH_ENTRIES) await this.#tryToPublish()
    }
    if (this.#closed) return
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      void this.#inTurn(() => this.#tryToPublish())
    }, PUBLISH_EVERY).unref()
  }

  /** Returns what tells the callers. */
  async #appendGroup(group: readonly Waiting[]): Promise<() => void> {
    const salts = randomBytes(SALT_BYTES * group.length)
    const tips = new Map<string, Tip>()
    const made: { frame: Buffer; device: string; tip: Tip; appended: Appended }[] = []
    for (const [i, { record }] of group.entries()) {
      const { device } = record
      await this.#mailboxes.load(device)
      const { count: number, last: previous } = tips.get(device) ?? this.#mailboxes.tip(device)
      const bytes = encodeRecord({ number, previous, record })
      const salt = salts.subarray(i * SALT_BYTES, (i + 1) * SALT_BYTES)
      const index = this.#edge.size + i
      const frame = encodeMailboxEntry({ device, number, index, salt, record: bytes })
      const commitment = commitmentOf(salt, bytes)
      const tip = { count: number + 1, last: commitment.toString("hex") }
      tips.set(device, tip)
      made.push({ frame, device, tip, appended: { index, commitment } })
    }
    if (this.#journal === null) throw new Fault("broken", "access log: not open")
    await this.#journal.append(Buffer.concat(made.map(({ frame }) => frame)))
    for (const { frame, device, tip, appended } of made) {
      this.#edge.append(appended.commitment)
      this.#mailboxes.add(device, frame, tip)
    }
    return () => {
      for (const [i, { appended }] of made.entries()) group[i]?.resolve(appended)
    }
  }

  #appendFault(error: unknown): Fault {
    if (!this.#journal?.failed) return logFault(error, this.#options.directory)
    const what = "the disk failed, and whether the record is kept shows when the log is opened anew"
    return new Fault("unavailable", `access log: ${what}`, { definite: false, cause: error })
  }

  async #tryToPublish(): Promise<void> {
    try {
      await this.#publish()
    } catch (error) {
      if (!isFault(error)) throw error
      this.#options.onFault?.(error)
    }
  }

  /** Tiles and mailboxes, then the state that counts on them, then the signature over it; the journal goes last. */
  async #publish(): Promise<void> {
    const { directory, origin, key } = this.#options
    const { size, root } = this.#edge
    if (size === this.#published) return
    try {
      const { full, partial } = this.#edge.files
      await writeTiles(publicFolder(directory), [...full, ...partial])
      await this.#mailboxes.flush()
      const inside = privateFolder(directory)
      const shards = this.#mailboxes.lengths
      await writeState(inside, { format: 1, size, root: Buffer.from(root).toString("hex"), shards })
      this.#edge.saved()
      const checkpoint = signCheckpoint({ origin, size, root }, key)
      await replaceFile(join(publicFolder(directory), CHECKPOINT), checkpoint, 0o644)
      this.#published = size
      await this.#nextJournal()
      for (const { path } of full)
        await rm(join(publicFolder(directory), `${path}.p`), { recursive: true, force: true })
    } catch (error) {
      throw logFault(error, directory)
    }
  }

  /** Everything in the journals so far is elsewhere. A journal that failed stays, for nobody knows what it holds. */
  async #nextJournal(): Promise<void> {
    if (this.#journal?.failed) return
    const inside = privateFolder(this.#options.directory)
    const next = await Journal.create(inside, this.#edge.size)
    await this.#journal?.close()
    this.#journal = next
    for (const first of await journalsIn(inside))
      if (first !== this.#edge.size) await removeJournal(inside, first)
  }
}

async function lock(directory: string): Promise<Unlock> {
  try {
    return await lockFolder(directory)
  } catch (cause) {
    const why = "another process writes it, or its path is too long"
    throw new Fault("usage", `access log ${directory}: cannot be locked: ${why}`, { cause })
  }
}
