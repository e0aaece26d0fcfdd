import { type Milliseconds, minutes, type UnixMilliseconds } from "../../firmware/units.ts"
import type { WritableBucket } from "./bucket.ts"
import { type CloudLog, writeFault } from "./cloud-log.ts"
import { clipsOf } from "./mailbox-clips.ts"

const EVERY: Milliseconds = minutes(15)
export const DAY: Milliseconds = minutes(24 * 60)

/**
 * Lets a clip go when all of it came longer ago than `kept`, by the cloud's clock: what the camera's clock said when it was
 * recorded is sealed, and nobody's business here. The same for every mailbox.
 *
 * Of what is no film the newest stays: a household's book (harness/owner/backup.ts) lies in a mailbox like any other, and
 * its owner may be away for longer than clips are kept.
 *
 * Looked at when the cloud starts, and every quarter of an hour.
 */
export class Retention {
  readonly #bucket: WritableBucket
  readonly #kept: Milliseconds
  readonly #log: CloudLog
  readonly #now: () => UnixMilliseconds
  readonly #timer: NodeJS.Timeout
  #working: Promise<void> | null = null
  #stopped = false

  constructor(
    bucket: WritableBucket,
    kept: Milliseconds,
    log: CloudLog,
    now: () => UnixMilliseconds = Date.now,
  ) {
    this.#bucket = bucket
    this.#kept = kept
    this.#log = log
    this.#now = now
    this.#timer = setInterval(() => void this.look(), EVERY)
    this.#timer.unref()
    void this.look()
  }

  /** Resolves when all that is too old has left, or could not. */
  look(): Promise<void> {
    this.#working ??= this.#look()
      .catch((error: unknown) => writeFault(this.#log, "retention", error))
      .finally(() => {
        this.#working = null
      })
    return this.#working
  }

  /** Resolves when what has begun is done. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#stopped = true
    await this.#working
  }

  async #look(): Promise<void> {
    const before = this.#now() - this.#kept
    for (const device of [...this.#bucket.mailboxes()]) {
      if (this.#stopped) return
      const clips = clipsOf(this.#bucket, device)
      const book = clips.findLast(({ isFilm }) => !isFilm)
      const old = clips.filter((clip) => clip.first > 0 && clip.last <= before && clip !== book)
      const objects = old.flatMap((clip) => clip.objects)
      if (objects.length === 0) continue
      await this.#bucket.remove({ device, cause: "retention", request: null, select: { objects } })
      this.#log.write({ event: "let go", device, cause: "retention", objects: objects.length })
    }
  }
}
