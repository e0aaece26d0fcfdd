import type { Milliseconds } from "../../firmware/units.ts"
import type { CloudKeeper } from "./cloud-keeper.ts"
import type { SecondSeen } from "./cpu-split.ts"
import type { CameraProgress } from "./messages.ts"
import type { Reading } from "./metrics.ts"
import { SERIES, type Series, type SeriesName } from "./series.ts"
import { newHistogram } from "./times.ts"

/** One second. What sealing and ingest took of it is known when the processes end. */
type Slot = { readonly [Name in Exclude<SeriesName, "coresSealing" | "coresIngest">]: number | null }

/** What was seen of the parts' work. */
export interface PartsSeen {
  /** Sealing, by process of cameras. */
  readonly sealing: readonly (readonly SecondSeen[])[]
  /** `from` on the monotonic clock. */
  readonly ingest: { readonly seconds: readonly SecondSeen[]; readonly from: Milliseconds }
}

/** What a run was like, second by second, from what its processes say of themselves. */
export class Timeline {
  readonly #cameras: number
  readonly #cloud: CloudKeeper
  readonly #workers = new Map<number, CameraProgress>()
  /** Whose latest word no slot has: they speak more often than once a second. */
  readonly #unread = new Set<number>()
  readonly #at: number[] = []
  readonly #slots: Slot[] = []
  readonly #rates = newHistogram()
  #before: Totals | null = null
  #beforeAt = 0
  #up = 0
  /** On the monotonic clock. */
  #begun: Milliseconds = 0
  #parts: PartsSeen = { sealing: [], ingest: { seconds: [], from: 0 } }

  constructor(cameras: number, cloud: CloudKeeper) {
    this.#cameras = cameras
    this.#cloud = cloud
  }

  hear(worker: number, progress: CameraProgress): void {
    const before = this.#unread.has(worker) ? this.#workers.get(worker) : undefined
    this.#workers.set(worker, before === undefined ? progress : worstOf(before, progress))
    this.#unread.add(worker)
  }

  get workers(): readonly CameraProgress[] {
    return [...this.#workers.values()]
  }

  /** Once a second; `at`: seconds from the first camera's start. */
  tick(at: number): void {
    const now = totalsOf(this.workers, this.#cloud)
    const before = this.#before
    const elapsed = at - this.#beforeAt
    this.#before = now
    this.#unread.clear()
    this.#beforeAt = at
    this.#begun = performance.now() - at * 1_000
    if (before === null || elapsed <= 0) return
    const per = (name: keyof Totals) => Math.max(0, now[name] - before[name]) / elapsed
    const rate = per("bytes") / 1e6
    this.#rates.recordValue(Math.round(rate * 1_000))
    this.#up += now.connected
    const most = (of: (progress: CameraProgress) => number | null) => maximum(this.workers.map(of))
    this.#at.push(rounded(at))
    this.#slots.push({
      camerasUp: now.connected,
      connectsPerSecond: rounded(per("connects")),
      dialsPerSecond: rounded(per("dials")),
      clipsPerSecond: rounded(per("recorded")),
      megabytesPerSecond: rounded(rate),
      receiptP50Ms: most(({ receiptP50Ms }) => receiptP50Ms),
      receiptP95Ms: most(({ receiptP95Ms }) => receiptP95Ms),
      alertP95Ms: most(({ alertP95Ms }) => alertP95Ms),
      waitingObjects: now.waiting,
      lagMs: most(({ lagMs }) => rounded(lagMs)),
      coresCameras: rounded(per("cameraSeconds")),
      coresBroker: rounded(per("cloudSeconds")),
      memoryCamerasMiB: rounded(now.memoryMiB),
      memoryBrokerMiB: this.#cloud.memoryMiB === null ? null : rounded(this.#cloud.memoryMiB),
    })
  }

  /** MB/s in thousandths, second by second; null: there was no second. */
  get uploadRate(): Reading | null {
    return this.#rates.totalCount === 0 ? null : { kind: "trend", histogram: this.#rates }
  }

  /** Camera-seconds connected, of all there could be. */
  get camerasUp(): Reading | null {
    if (this.#slots.length === 0) return null
    return { kind: "rate", hits: this.#up, total: this.#slots.length * this.#cameras }
  }

  /** When the processes have ended. */
  learn(parts: PartsSeen): void {
    this.#parts = parts
  }

  series(): Series {
    const { sealing, ingest } = this.#parts
    const ingestFrom = Math.round((ingest.from - this.#begun) / 1_000)
    const slots = this.#slots.map((slot, i) => {
      const second = Math.floor(this.#at[i] ?? 0)
      const [coresCameras, coresSealing] = split(slot.coresCameras, shareAt(sealing, second))
      const [coresBroker, coresIngest] = split(
        slot.coresBroker,
        shareAt([ingest.seconds], second - ingestFrom),
      )
      return { ...slot, coresCameras, coresSealing, coresBroker, coresIngest }
    })
    const names = Object.keys(SERIES) as SeriesName[]
    const columns = names.map((name) => [name, slots.map((slot) => slot[name])])
    return { schema: "obscura.series.v1", at: this.#at, columns: Object.fromEntries(columns) }
  }
}

interface Totals {
  readonly connected: number
  readonly connects: number
  readonly dials: number
  readonly recorded: number
  readonly waiting: number
  readonly bytes: number
  readonly cameraSeconds: number
  readonly cloudSeconds: number
  readonly memoryMiB: number
}

function totalsOf(workers: readonly CameraProgress[], cloud: CloudKeeper): Totals {
  const sum = (of: (progress: CameraProgress) => number) =>
    workers.reduce((total, progress) => total + of(progress), 0)
  return {
    connected: sum(({ connected }) => connected),
    connects: sum(({ connects }) => connects),
    dials: sum(({ dials }) => dials),
    recorded: sum(({ recorded }) => recorded),
    waiting: sum(({ waiting }) => waiting),
    bytes: cloud.bytes,
    cameraSeconds: sum(({ usage }) => usage.cpuSeconds),
    cloudSeconds: cloud.usage.cpuSeconds,
    memoryMiB: sum(({ memoryMiB }) => memoryMiB),
  }
}

/** Of the busy time around that second; null: nobody was seen busy. */
function shareAt(processes: readonly (readonly SecondSeen[])[], second: number): number | null {
  let [busy, part] = [0, 0]
  for (const seen of processes)
    for (const each of seen.slice(Math.max(0, second - 1), Math.max(0, second + 2))) {
      busy += each.busy
      part += each.part
    }
  return busy === 0 ? null : part / busy
}

/** The rest, and the part. */
function split(cores: number | null, share: number | null): readonly [number | null, number | null] {
  if (cores === null) return [null, null]
  const part = rounded(cores * (share ?? 0))
  return [rounded(cores - part), part]
}

/** What stands is of the later; of what was measured in between, the worse. */
function worstOf(before: CameraProgress, progress: CameraProgress): CameraProgress {
  return {
    ...progress,
    lagMs: Math.max(before.lagMs, progress.lagMs),
    receiptP50Ms: maximum([before.receiptP50Ms, progress.receiptP50Ms]),
    receiptP95Ms: maximum([before.receiptP95Ms, progress.receiptP95Ms]),
    alertP95Ms: maximum([before.alertP95Ms, progress.alertP95Ms]),
  }
}

function maximum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : Math.max(...known)
}

function rounded(value: number): number {
  return Number(value.toFixed(3))
}
