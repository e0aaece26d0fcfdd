import type { CloudKeeper } from "./cloud-keeper.ts"
import type { CameraProgress } from "./messages.ts"
import type { Reading } from "./metrics.ts"
import { SERIES, type Series, type SeriesName } from "./series.ts"
import { newHistogram } from "./times.ts"

type Slot = { readonly [Name in SeriesName]: number | null }

/** What a run was like, second by second, from what its processes say of themselves. */
export class Timeline {
  readonly #cameras: number
  readonly #cloud: CloudKeeper
  readonly #workers = new Map<number, CameraProgress>()
  readonly #at: number[] = []
  readonly #slots: Slot[] = []
  readonly #rates = newHistogram()
  #before: Totals | null = null
  #beforeAt = 0
  #up = 0
  #mostConnects = 0

  constructor(cameras: number, cloud: CloudKeeper) {
    this.#cameras = cameras
    this.#cloud = cloud
  }

  hear(worker: number, progress: CameraProgress): void {
    this.#workers.set(worker, progress)
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
    this.#beforeAt = at
    if (before === null || elapsed <= 0) return
    const per = (name: keyof Totals) => Math.max(0, now[name] - before[name]) / elapsed
    const rate = per("bytes") / 1e6
    this.#rates.recordValue(Math.round(rate * 1_000))
    this.#up += now.connected
    this.#mostConnects = Math.max(this.#mostConnects, per("connects"))
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
      waitingObjects: Math.max(0, now.sealed - now.received),
      lagMs: most(({ lagMs }) => rounded(lagMs)),
      coresCameras: rounded(per("cameraSeconds") - per("sealingSeconds")),
      coresSealing: rounded(per("sealingSeconds")),
      coresBroker: rounded(per("cloudSeconds") - per("ingestSeconds")),
      coresIngest: rounded(per("ingestSeconds")),
      memoryCamerasMiB: rounded(now.memoryMiB),
      memoryBrokerMiB: this.#cloud.memoryMiB === null ? null : rounded(this.#cloud.memoryMiB),
    })
  }

  get connectsPerSecond(): number | null {
    return this.#slots.length === 0 ? null : rounded(this.#mostConnects)
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

  series(): Series {
    const names = Object.keys(SERIES) as SeriesName[]
    const columns = names.map((name) => [name, this.#slots.map((slot) => slot[name])])
    return { schema: "obscura.series.v1", at: this.#at, columns: Object.fromEntries(columns) }
  }
}

interface Totals {
  readonly connected: number
  readonly connects: number
  readonly dials: number
  readonly recorded: number
  readonly sealed: number
  readonly received: number
  readonly bytes: number
  readonly cameraSeconds: number
  readonly sealingSeconds: number
  readonly cloudSeconds: number
  readonly ingestSeconds: number
  readonly memoryMiB: number
}

function totalsOf(workers: readonly CameraProgress[], cloud: CloudKeeper): Totals {
  const sum = (of: (progress: CameraProgress) => number) =>
    workers.reduce((total, progress) => total + of(progress), 0)
  const { cpuSeconds, share } = cloud.usage
  return {
    connected: sum(({ connected }) => connected),
    connects: sum(({ connects }) => connects),
    dials: sum(({ dials }) => dials),
    recorded: sum(({ recorded }) => recorded),
    sealed: sum(({ sealed }) => sealed),
    received: sum(({ received }) => received),
    bytes: cloud.bytes,
    cameraSeconds: sum(({ usage }) => usage.cpuSeconds),
    sealingSeconds: sum(({ usage }) => usage.cpuSeconds * (usage.share ?? 0)),
    cloudSeconds: cpuSeconds,
    ingestSeconds: cpuSeconds * (share ?? 0),
    memoryMiB: sum(({ memoryMiB }) => memoryMiB),
  }
}

function maximum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : Math.max(...known)
}

function rounded(value: number): number {
  return Number(value.toFixed(3))
}
