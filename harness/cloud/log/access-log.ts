import type { SigningKey } from "../../../firmware/control/keys.ts"
import { Fault, isFault } from "../../../firmware/errors.ts"
import { type Milliseconds, seconds } from "../../../firmware/units.ts"
import { makeFolder } from "../../../hardware/make-folder.ts"
import type { Unlock } from "../bucket-lock.ts"
import { Journal, journalsIn, readJournal, removeJournal } from "./journal.ts"
import { lockLog, logFault, privateFolder, publicFolder } from "./log-disk.ts"
import { NO_STATE, readEdge, readPublished, readState, replay } from "./log-state.ts"
import { type MailboxEntry, Mailboxes, readMailbox } from "./mailboxes.ts"
import { framesOf, publishTree, removePartials } from "./publication.ts"
import { type AccessRecord, accessRecordShape } from "./records.ts"
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

export { privateFolder, publicFolder }

/** What the parts of a cloud need of it, and what its doors do beside. */
export type LogOfAccesses = Pick<AccessLog, "append" | "mailbox" | "publish">
export type DoorLog = LogOfAccesses & Pick<AccessLog, "isAble" | "directory">

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
  #cannotAppend = false
  #cannotPublish = false

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
    const unlock = await lockLog(directory)
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

  get directory(): string {
    return this.#options.directory
  }

  /** Entries that are durable. */
  get size(): number {
    return this.#edge.size
  }

  /** Whether it took what was given last, and showed it; while it does not, it tries again each second by itself. */
  get isAble(): boolean {
    return !this.#closed && !this.#cannotAppend && !this.#cannotPublish
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

  /** What is there for the owner of `device`; the caller has made sure that it is the one who asks. @throws Fault. */
  async mailbox(device: string): Promise<readonly MailboxEntry[]> {
    const { directory } = this.#options
    try {
      return await readMailbox(privateFolder(directory), device)
    } catch (error) {
      throw logFault(error, directory)
    }
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
        this.#cannotAppend = false
      } catch (error) {
        this.#cannotAppend = true
        const fault = this.#appendFault(error)
        outcome = () => {
          for (const { reject } of group) reject(fault)
        }
      }
      this.#waiting.splice(0, group.length)
      outcome()
      if (this.#edge.size - this.#published >= PUBLISH_ENTRIES) await this.#tryToPublish()
    }
    this.#publishSoon()
  }

  #publishSoon(): void {
    if (this.#closed) return
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      void this.#inTurn(async () => {
        await this.#tryToAppend()
        await this.#tryToPublish()
        if (!this.isAble) this.#publishSoon()
      })
    }, PUBLISH_EVERY).unref()
  }

  /** Where it could not: a group without a record, so that it is known again whether it can. */
  async #tryToAppend(): Promise<void> {
    if (!this.#cannotAppend || this.#journal === null) return
    try {
      await this.#journal.append(new Uint8Array(0))
      this.#cannotAppend = false
    } catch (error) {
      // It was told to whoever appended.
      if (!(error instanceof Error)) throw error
    }
  }

  /** Returns what tells the callers. */
  async #appendGroup(group: readonly Waiting[]): Promise<() => void> {
    for (const { record } of group) await this.#mailboxes.load(record.device)
    const made = framesOf(
      group.map(({ record }) => record),
      this.#mailboxes,
      this.#edge.size,
    )
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

  /** That it fails is told once. */
  async #tryToPublish(): Promise<void> {
    const wasAble = !this.#cannotPublish
    try {
      await this.#publish()
    } catch (error) {
      if (!isFault(error)) throw error
      if (wasAble) this.#options.onFault?.(error)
    }
  }

  /** The journal goes last. */
  async #publish(): Promise<void> {
    const { directory } = this.#options
    const { size } = this.#edge
    if (size === this.#published) {
      this.#cannotPublish = false
      return
    }
    try {
      const full = await publishTree(this.#options, this.#edge, this.#mailboxes)
      this.#published = size
      this.#cannotPublish = false
      await this.#nextJournal()
      await removePartials(directory, full)
    } catch (error) {
      this.#cannotPublish = true
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
