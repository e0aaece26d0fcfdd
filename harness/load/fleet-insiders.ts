import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Dialler } from "../../firmware/ports.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import { sleep } from "../../simulator/sleep.ts"
import { type Bucket, readBucket } from "../cloud/bucket.ts"
import { Accounts } from "../cloud/index/accounts.ts"
import { ClipIndex } from "../cloud/index/clip-index.ts"
import { IndexDatabase } from "../cloud/index/database.ts"
import { parseIndexPlace } from "../cloud/index/place.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import { within } from "../insider/guest.ts"
import { Home } from "../insider/home.ts"
import { knownMutants } from "../insider/known-mutants.ts"
import { measureLeakage } from "../insider/leakage.ts"
import type { CheckId } from "../insider/privacy-checks.ts"
import { resultsOf, whoTries } from "../insider/results.ts"
import { letThemTry, type Outcome } from "../insider/try-all.ts"
import type { World } from "../insider/world.ts"
import type { CloudKeeper } from "./cloud-keeper.ts"
import { openLogFile } from "./log-file.ts"
import type { Owner } from "./pairing.ts"
import type { PrivacyFindings } from "./privacy-shape.ts"
import { camerasLogs, type RunFolder } from "./run-folder.ts"
import type { ReadyTarget } from "./target.ts"
import type { Worker } from "./workers.ts"

export interface FleetInsidersParts {
  readonly seed: number
  readonly folder: RunFolder
  readonly cloud: CloudIdentity
  readonly dialler: Dialler
  readonly owners: readonly Owner[]
  readonly ports: readonly number[]
  /** Now: a cloud that was killed comes back as another one. */
  readonly processes: () => readonly number[]
  readonly workers: number
}

/** What a load test has of it. */
export interface FleetRunParts {
  readonly options: { readonly insiders?: boolean; readonly prometheusPort: number | null }
  readonly target: Pick<ReadyTarget, "outside">
  readonly folder: RunFolder
  readonly cloud: Pick<CloudKeeper, "process">
  readonly workers: readonly Worker[]
  readonly owners: readonly Owner[]
  readonly identity: CloudIdentity
  readonly dialler: Dialler
  readonly broker: string
  readonly plan: { readonly seed: number }
}

const HOMES = 4
/** Whoever could not look, for the cloud was away, tries again. */
const TURNS_MAX = 3
/** What leaves a home as it was. */
const AGAIN: readonly CheckId[] = ["C4", "C5", "C10", "C13", "C15", "C18"]
const ROUND_EVERY: Milliseconds = seconds(5)
const ROUNDS_MAX = 6
/** After the run: a cloud that was away is back by then. Who has not looked by then could not. */
const FINISHES_WITHIN: Milliseconds = seconds(60)
const JUDGES_WITHIN: Milliseconds = seconds(120)
const AGAIN_AFTER: Milliseconds = seconds(2)
/** While cameras run nobody reads the whole bucket anew for every look. */
const READ_EVERY: Milliseconds = seconds(3)
/** Cameras in the index: as many as tell whether an account leads to one. */
const INDEXED_MAX = 100

/**
 * The insiders of a load test: four homes of their own at the run's broker, whose cameras run in the parent process under
 * the run's load and faults; then everything that the run has left.
 */
export class FleetInsiders {
  readonly #parts: FleetInsidersParts
  readonly #stop = new AbortController()
  readonly #outcomes: Outcome[] = []
  #homes: readonly Home[] = []
  #trying: Promise<void> = Promise.resolve()
  #ended = false
  readonly #quiet = new AbortController()
  readonly #late = new AbortController()
  #accounts: World["accounts"] = []
  #read: { readonly at: Milliseconds; readonly bucket: Promise<Bucket> } | null = null

  constructor(parts: FleetInsidersParts) {
    this.#parts = parts
  }

  /** null: nobody shall try; or the broker is not ours, and its doors are not ours either. */
  static of(run: FleetRunParts): FleetInsiders | null {
    const { options, target, folder, cloud, workers, owners, identity, dialler, broker, plan } = run
    const { insiders = false, prometheusPort } = options
    if (!insiders || target.outside !== null) return null
    const ports = [Number(new URL(broker).port), ...(prometheusPort === null ? [] : [prometheusPort])]
    const processes = () =>
      [cloud.process, ...workers.map(({ child }) => child.id)].filter((id) => id !== null)
    const own = { seed: plan.seed, folder, cloud: identity, dialler, owners, ports, processes }
    return new FleetInsiders({ ...own, workers: workers.length })
  }

  /** Their cameras: nothing of these is the fleet's. */
  get devices(): readonly string[] {
    return this.#homes.map(({ camera }) => camera.id)
  }

  /** From now on, beside everything else. `interrupted` stops them, and what they have not done then is not told. */
  begin(interrupted: AbortSignal): void {
    interrupted.addEventListener("abort", () => this.#interrupt(), { once: true })
    if (interrupted.aborted) this.#interrupt()
    this.#trying = this.#tryWhileItRuns()
    this.#trying.catch(() => undefined) // `end` tells
  }

  #interrupt(): void {
    for (const each of [this.#stop, this.#quiet, this.#late]) each.abort()
  }

  /** They have done what they do while cameras run, or have had the time for it. */
  async end(): Promise<void> {
    this.#quiet.abort()
    const timer = setTimeout(() => this.#late.abort(), FINISHES_WITHIN)
    try {
      await this.#trying
    } finally {
      clearTimeout(timer)
    }
    this.#ended = true
    await Promise.all(this.#homes.map((home) => home.stop()))
  }

  /** Whatever happened: nothing of theirs runs any more. */
  async leave(): Promise<void> {
    if (this.#ended) return
    this.#interrupt()
    await Promise.allSettled([this.#trying, ...this.#homes.map((home) => home.stop())])
  }

  /** With all that the run has left. null: they were stopped before. */
  async judge(bucket: Bucket): Promise<PrivacyFindings | null> {
    if (this.#stop.signal.aborted || this.#homes.length === 0) return null
    const database = await this.#indexOf(bucket)
    try {
      const world = {
        ...this.#world(),
        holdings: { ...this.#holdings(async () => bucket), database: async () => database },
      }
      const patience = within(JUDGES_WITHIN, this.#stop.signal)
      const after = await letThemTry(world, { when: ["after"] }, patience.signal)
      patience.stop()
      return {
        checks: resultsOf([...this.#outcomes, ...after], await knownMutants()).map((each) => ({
          ...each,
          by: [...each.by],
          evidence: [...each.evidence],
        })),
        insiders: [...whoTries()],
        leakage: [...(await measureLeakage(world))],
      }
    } finally {
      await database.close()
    }
  }

  async #tryWhileItRuns(): Promise<void> {
    const { seed, cloud, dialler, folder } = this.#parts
    const { signal } = this.#late
    await mkdir(folder.insiders, { recursive: true })
    const file = openLogFile(join(folder.insiders, "cameras.log"))
    this.#homes = await Promise.all(
      Array.from({ length: HOMES }, (_, index) => Home.open({ seed, index, cloud, dialler })),
    )
    for (const home of this.#homes) {
      home.onLine = (line) => file.log.info({ camera: home.index, ...line })
      home.start()
    }
    await Promise.all(this.#homes.map((home) => comesUp(home, signal)))
    let left: readonly Outcome[] = await letThemTry(this.#world(), { when: ["during"] }, signal)
    for (
      let turn = 1;
      left.some(({ stuck }) => stuck !== null) && turn < TURNS_MAX && !signal.aborted;
      turn++
    ) {
      const stuck = left.filter((each) => each.stuck !== null)
      this.#outcomes.push(...left.filter((each) => each.stuck === null))
      await sleep(AGAIN_AFTER, signal)
      const again = { when: ["during"] as const, only: stuck }
      left = await letThemTry(this.#world(), again, signal)
    }
    this.#outcomes.push(...left)
    await this.#tryAgain()
    file.flush()
  }

  /** For as long as the run lasts, through whatever strikes it. Whom a fault stopped has shown before that they can look. */
  async #tryAgain(): Promise<void> {
    const { signal } = this.#quiet
    for (let round = 0; round < ROUNDS_MAX; round++) {
      await sleep(ROUND_EVERY, signal)
      if (signal.aborted) return
      const again = await letThemTry(this.#world(), { when: ["during"], checks: AGAIN }, this.#late.signal)
      this.#outcomes.push(...again.filter(({ stuck }) => stuck === null))
    }
  }

  #world(): World {
    const { seed, cloud, dialler, ports, processes, owners } = this.#parts
    return {
      ...{ seed, cloud, dialler, ports, processes: processes(), homes: this.#homes, others: owners },
      accounts: this.#accounts,
      holdings: { ...this.#holdings(() => this.#recentBucket()), database: notYet },
    }
  }

  #holdings(read: () => Promise<Bucket>): Omit<World["holdings"], "database"> {
    const { folder, workers } = this.#parts
    return {
      keyFile: folder.cloudKeys,
      accessLog: join(folder.directory, "log"),
      bucketFolder: folder.bucket,
      logs: [folder.cloudLog, join(folder.insiders, "cameras.log"), ...camerasLogs(folder, workers)],
      places: [folder.bucket, folder.cloudLog, folder.insiders, ...camerasLogs(folder, workers)],
      readBucket: read,
    }
  }

  #recentBucket(): Promise<Bucket> {
    const now = performance.now()
    if (this.#read === null || now - this.#read.at > READ_EVERY)
      this.#read = { at: now, bucket: readBucket(this.#parts.folder.bucket) }
    return this.#read.bucket
  }

  /** The index that a start of the cloud with --index would make of this bucket, and an account for each home. */
  async #indexOf(bucket: Bucket): Promise<IndexDatabase> {
    const { folder } = this.#parts
    const database = await IndexDatabase.open(parseIndexPlace(join(folder.insiders, "index.sqlite")))
    const lines: string[] = []
    const accounts = new Accounts(database, { write: (line) => void lines.push(JSON.stringify(line)) })
    for (const { index } of this.#homes)
      this.#accounts = [...this.#accounts, await accounts.create(`customer-${index}@example.org`, "basic")]
    await writeFile(join(folder.insiders, "accounts.log"), `${lines.join("\n")}\n`)
    const devices = [...this.devices, ...bucket.devices().filter((each) => !this.devices.includes(each))]
    const index = new ClipIndex(database)
    for (const device of devices.slice(0, INDEXED_MAX)) {
      const clipOf = new Map(
        bucket.manifests(device).flatMap(({ objects }) => objects.map(({ id, clip }) => [id, clip])),
      )
      const rows = [...bucket.objectsOf(device)].map(({ id, headerBytes, payloadBytes, arrived }) => ({
        ...{ object: id, clip: clipOf.get(id) ?? id, device },
        ...{ bytes: headerBytes + payloadBytes, arrived },
      }))
      await index.change(rows, [])
    }
    return database
  }
}

/** Or does not, until `signal` aborts: then nobody can look, and each of them says so. */
async function comesUp(home: Home, signal: AbortSignal): Promise<void> {
  try {
    await home.ready(signal)
    await home.recordClip(signal)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

const notYet = (): Promise<never> => Promise.reject(new Error("there is no index while cameras run"))
