import { isFault, messageOf } from "../../../firmware/errors.ts"
import { type Milliseconds, seconds } from "../../../firmware/units.ts"
import { WakeUp } from "../../../firmware/wake.ts"
import type { WritableBucket } from "../bucket.ts"
import type { BucketChange } from "../bucket-index.ts"
import { type CloudLog, writeFault } from "../cloud-log.ts"
import type { BucketFollower } from "../store.ts"
import { ClipIndex } from "./clip-index.ts"
import { IndexDatabase } from "./database.ts"
import type { IndexPlace } from "./place.ts"
import type { ClipObjectRow } from "./schema.ts"

/** Objects that wait for the database. Beyond, all are forgotten, and bucket and index are compared when it is back. */
const WAITING_MAX = 50_000
const BATCH = 500
const GATHER_FOR: Milliseconds = 100
const RETRY_FIRST: Milliseconds = 250
const RETRY_MAX: Milliseconds = seconds(15)
const CLOSE_WITHIN: Milliseconds = seconds(5)

/**
 * Keeps the clips' half of the index as the bucket is, behind it: no upload waits for the database, which may be away for as
 * long as it likes. The bucket is the truth. At the start, and when more was missed than is remembered, the two are compared
 * device by device; so an index that was lost is made anew by starting the cloud.
 */
export class Indexer implements BucketFollower {
  readonly #place: IndexPlace
  readonly #log: CloudLog
  #database: IndexDatabase | null
  #bucket: WritableBucket | null = null
  /** Latest state of each object; null: it is not there any more. */
  readonly #waiting = new Map<string, ClipObjectRow | null>()
  #isBehind = true
  #isAway = false
  #isWorking = false
  readonly #news = new WakeUp()
  readonly #stop = new AbortController()
  #running: Promise<void> = Promise.resolve()

  private constructor(place: IndexPlace, database: IndexDatabase | null, log: CloudLog) {
    this.#place = place
    this.#database = database
    this.#log = log
  }

  /** A database that is away, or full, may come. @throws Fault "usage" or "broken", definite: it never will. */
  static async open(place: IndexPlace, log: CloudLog): Promise<Indexer> {
    try {
      return new Indexer(place, await IndexDatabase.open(place, "replayed"), log)
    } catch (error) {
      if (isFault(error, "usage") || isFault(error, "broken")) throw error
      const indexer = new Indexer(place, null, log)
      indexer.#away(error)
      return indexer
    }
  }

  /** How many changes are not in the database yet; null: nobody knows, until bucket and index are compared. */
  get lag(): number | null {
    return this.#isBehind ? null : this.#waiting.size
  }

  follow(bucket: WritableBucket): void {
    this.#bucket = bucket
    bucket.watch((change) => this.#note(change))
    this.#running = this.#run()
  }

  /** Resolves when the index is as the bucket is now. */
  async caughtUp(): Promise<void> {
    while (this.lag !== 0 || this.#isWorking) await sleep(10, this.#stop.signal)
  }

  /** What is not done soon is found by the comparison of the next start. */
  async close(): Promise<void> {
    const late = AbortSignal.timeout(CLOSE_WITHIN)
    const isBusy = () => this.#bucket !== null && !this.#isAway && (this.lag !== 0 || this.#isWorking)
    while (isBusy() && !late.aborted) await sleep(10, late)
    this.#stop.abort()
    this.#news.wake()
    await this.#running
    await this.#database?.close()
  }

  #note(change: BucketChange): void {
    if (change.kind === "departure") for (const id of change.departure.objects) this.#waiting.set(id, null)
    if (change.kind === "manifest")
      for (const row of this.#rowsOf(change.manifest)) this.#waiting.set(row.object, row)
    if (this.#waiting.size > WAITING_MAX) {
      this.#waiting.clear()
      this.#isBehind = true
    }
    this.#news.wake()
  }

  #rowsOf({ objects }: { readonly objects: readonly { readonly id: string; readonly clip: string }[] }) {
    return objects.flatMap(({ id, clip }): readonly ClipObjectRow[] => {
      const stored = this.#bucket?.object(id)
      if (!stored) return []
      const { device, headerBytes, payloadBytes, arrived } = stored
      return [{ object: id, clip, device, bytes: headerBytes + payloadBytes, arrived }]
    })
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    let pause = RETRY_FIRST
    while (!signal.aborted) {
      if (!this.#isBehind && this.#waiting.size === 0) {
        await this.#news.wait(signal)
        continue
      }
      this.#isWorking = true
      // What comes together is written together.
      if (!this.#isBehind && this.#waiting.size < BATCH) await sleep(GATHER_FOR, signal)
      try {
        await this.#work()
        pause = RETRY_FIRST
      } catch (error) {
        this.#away(error)
        await sleep(pause, signal)
        pause = Math.min(2 * pause, RETRY_MAX)
      } finally {
        this.#isWorking = false
      }
    }
  }

  async #work(): Promise<void> {
    this.#database ??= await IndexDatabase.open(this.#place, "replayed")
    const index = new ClipIndex(this.#database)
    if (this.#isBehind) await this.#compare(index)
    else {
      const batch = [...this.#waiting].slice(0, BATCH)
      await this.#apply(index, batch)
      // What changed again meanwhile waits for its turn.
      for (const [id, row] of batch) if (this.#waiting.get(id) === row) this.#waiting.delete(id)
    }
    if (this.#isAway) this.#log.write({ event: "index back", waiting: this.#waiting.size })
    this.#isAway = false
  }

  #apply(index: ClipIndex, batch: readonly (readonly [string, ClipObjectRow | null])[]): Promise<void> {
    const here = batch.flatMap(([, row]) => row ?? [])
    return index.change(
      here,
      batch.filter(([, row]) => row === null).map(([id]) => id),
    )
  }

  /** What changes in the bucket meanwhile is noted as ever, and comes after. */
  async #compare(index: ClipIndex): Promise<void> {
    const bucket = this.#bucket
    if (bucket === null) return
    for (const device of new Set([...bucket.devices(), ...(await index.devices())])) {
      const known = new Set(await index.objectsOf(device))
      const rows = bucket.manifests(device).flatMap((manifest) => this.#rowsOf(manifest))
      const here = new Set(rows.map(({ object }) => object))
      const gone = [...known].filter((id) => !here.has(id))
      await index.change(
        rows.filter(({ object }) => !known.has(object)),
        gone,
      )
      if (this.#stop.signal.aborted) return
    }
    this.#isBehind = false
  }

  #away(error: unknown): void {
    if (this.#isAway) return
    this.#isAway = true
    if (isFault(error)) this.#log.write({ event: "index away", reason: messageOf(error) })
    else writeFault(this.#log, "index", error)
  }
}

function sleep(time: Milliseconds, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener("abort", done)
      resolve()
    }
    const timer = setTimeout(done, time)
    signal.addEventListener("abort", done)
  })
}
