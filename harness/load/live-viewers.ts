import { randomBytes } from "node:crypto"
import { setMaxListeners } from "node:events"
import { encodeIntoCompressedBase64, type Histogram } from "hdr-histogram-js"
import { parseConfig } from "../../firmware/config.ts"
import { type SigningKey, signingKeyOf } from "../../firmware/control/keys.ts"
import { GRANT_FOR_MAX } from "../../firmware/control/live-messages.ts"
import { isFault } from "../../firmware/errors.ts"
import type { Dialler } from "../../firmware/ports.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import { processClock } from "../../hardware/clock.ts"
import { platformRandom } from "../../hardware/random.ts"
import { sleep } from "../../simulator/sleep.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import { Lending } from "../owner/lending.ts"
import { LiveWatch } from "../owner/live-watch.ts"
import type { Owner } from "./pairing.ts"
import type { FleetPlan } from "./plan.ts"
import { newHistogram } from "./times.ts"

export interface LiveViewersParts {
  readonly plan: Pick<FleetPlan, "scenario">
  readonly owners: readonly Owner[]
  readonly cloud: CloudIdentity
  readonly dialler: Dialler
  /** When the monotonic clock of camera `index` was 0, milliseconds since 1970. */
  readonly originOf: (index: number) => Milliseconds
  /** Told why somebody could not look. */
  readonly complain: (reason: string) => void
}

/**
 * Guests of a load test, in the parent process as their owners are: each camera that is looked at has an owner who lends
 * and renews, and viewers with keys of their own. How old each picture is when it has been opened is what is counted.
 */
export class LiveViewers {
  readonly #parts: LiveViewersParts
  readonly #latencies: Histogram = newHistogram()
  readonly #leave = new AbortController()
  #looking: Promise<void> = Promise.resolve()

  constructor(parts: LiveViewersParts) {
    this.#parts = parts
  }

  /** An HdrHistogram of microseconds; null: no picture came. */
  get told(): string | null {
    return this.#latencies.totalCount === 0 ? null : encodeIntoCompressedBase64(this.#latencies)
  }

  /** From now on, as the scenario says. Nobody, if it says nothing of them. */
  begin(): void {
    this.#looking = this.#run()
    this.#looking.catch(() => undefined) // `end` tells
  }

  /** They leave, in order; all have left when it resolves. Never rejects for what a camera does. */
  async end(): Promise<void> {
    this.#leave.abort()
    await this.#looking
  }

  async #run(): Promise<void> {
    const { owners } = this.#parts
    const { live } = this.#parts.plan.scenario
    const { signal } = this.#leave
    if (live === null) return
    setMaxListeners(0, signal) // every viewer listens
    await sleep(seconds(live.at), signal)
    const timer = setTimeout(() => this.#leave.abort(), seconds(live.seconds))
    await Promise.all(owners.slice(0, live.cameras).map((owner) => this.#lookAt(owner, live.viewers, signal)))
    clearTimeout(timer)
  }

  async #lookAt(owner: Owner, count: number, signal: AbortSignal): Promise<void> {
    const { camera, keys } = owner
    const lending = new Lending({ ...this.#link, camera, owner: keys.signingKeyFor(camera.id) })
    const done = new AbortController()
    const running = lending.run(done.signal)
    const viewers = Array.from({ length: count }, () => signingKeyOf(randomBytes(32)))
    await Promise.all(viewers.map((viewer, i) => this.#look(owner, viewer, i, lending, signal)))
    done.abort()
    await running
  }

  async #look(
    { index, camera }: Owner,
    viewer: SigningKey,
    number: number,
    lending: Lending,
    signal: AbortSignal,
  ): Promise<void> {
    const grant = async (_beats: unknown, until: AbortSignal) => {
      const envelope = await lending.lend(viewer, `guest ${number}`, until)
      return envelope && { envelope, for: GRANT_FOR_MAX }
    }
    const watch = new LiveWatch({ ...this.#link, camera, viewer, role: "viewer", grant })
    // What the lens gave before anybody looked is shown at once, and old.
    const begun = performance.now()
    const ahead = this.#parts.originOf(index) - performance.timeOrigin
    try {
      for await (const { unit } of watch.pictures(signal)) {
        const shown = unit.at + ahead
        if (shown >= begun) this.#count(performance.now() - shown)
      }
      if (watch.lost > 0)
        this.#parts.complain(`camera ${index}: viewer ${number} lost ${watch.lost} pictures`)
    } catch (error) {
      if (!isFault(error)) throw error
      this.#parts.complain(`camera ${index}: viewer ${number}: ${error.message}`)
    }
  }

  #count(latency: Milliseconds): void {
    this.#latencies.recordValue(Math.min(3_599_000_000, Math.max(0, Math.round(latency * 1_000))))
  }

  get #link() {
    const { cloud, dialler } = this.#parts
    return {
      broker: { name: cloud.name, pin: cloud.brokerKey },
      link: { clock: processClock(), random: platformRandom, dialler, log: { write: () => undefined } },
      config: parseConfig().link,
    }
  }
}
