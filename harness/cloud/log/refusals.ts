import { type Fault, isFault } from "../../../firmware/errors.ts"
import { minutes, seconds, type UnixMilliseconds } from "../../../firmware/units.ts"
import type { Beats } from "../beats.ts"
import { Recent } from "../recent.ts"
import type { LogOfAccesses } from "./access-log.ts"
import { Allowance, type Bound } from "./allowance.ts"
import { oneLine } from "./once.ts"
import type { AccessRecord, AccessRole } from "./records.ts"

export interface RefusedRequest {
  readonly device: string
  readonly request: Extract<AccessRecord, { kind: "request refused" }>["request"]
  /** In words; whatever they are, one line of them is kept. */
  readonly refusal: string
  readonly by: { readonly role: AccessRole; readonly key: string | null }
}

export interface RefusalBounds {
  readonly ofOneCamera: Bound
  readonly ofAll: Bound
}

const BOUNDS: RefusalBounds = {
  ofOneCamera: { together: 8, every: minutes(15) },
  ofAll: { together: 1_000, every: seconds(4) },
}
/** On their way into the log. What comes meanwhile is counted. */
const GOING_MAX = 64
const CAMERAS_MAX = 16_384
const ALL = "all"

/**
 * Requests that were refused, as records of the camera that was meant. Whoever may connect can ask without end, so of what
 * strangers ask only so much is written as bounds allow; the rest is counted, and the camera's next record tells how
 * many. Cameras that this cloud knows no heartbeat of have no records. Nobody waits for any of it.
 */
export class RefusalRecords {
  readonly #log: LogOfAccesses
  readonly #beats: Pick<Beats, "latest">
  readonly #now: () => UnixMilliseconds
  readonly #onFault: (error: Fault) => void
  readonly #ofOne: Allowance
  readonly #ofAll: Allowance
  /** By camera, since its last record. */
  readonly #counted = new Recent<number>(CAMERAS_MAX)
  readonly #going = new Set<Promise<void>>()
  #isFailing = false

  /** `onFault` hears once of each time that records cannot be written. */
  constructor(
    log: LogOfAccesses,
    beats: Pick<Beats, "latest">,
    now: () => UnixMilliseconds,
    onFault: (error: Fault) => void,
    bounds: RefusalBounds = BOUNDS,
  ) {
    this.#log = log
    this.#beats = beats
    this.#now = now
    this.#onFault = onFault
    this.#ofOne = new Allowance(bounds.ofOneCamera, now)
    this.#ofAll = new Allowance(bounds.ofAll, now)
  }

  /** Nothing that is refused makes it throw. */
  refused(request: RefusedRequest): void {
    const { device } = request
    if (this.#beats.latest(device) === null) return
    const times = (this.#counted.get(device) ?? 0) + 1
    this.#counted.set(device, times)
    if (this.#going.size >= GOING_MAX) return
    if (!this.#ofOne.isLeft(device) || !this.#ofAll.isLeft(ALL)) return
    this.#ofOne.take(device)
    this.#ofAll.take(ALL)
    this.#counted.set(device, 0)
    const going: Promise<void> = this.#append(request, times)
      .catch((error: unknown) => {
        this.#counted.set(device, (this.#counted.get(device) ?? 0) + times)
        if (!isFault(error)) throw error
        if (!this.#isFailing) this.#onFault(error)
        this.#isFailing = true
      })
      .finally(() => this.#going.delete(going))
    this.#going.add(going)
  }

  async drained(): Promise<void> {
    await Promise.all(this.#going)
  }

  async #append({ device, request, refusal, by }: RefusedRequest, times: number): Promise<void> {
    await this.#log.append({
      ...{ kind: "request refused", device, at: this.#now(), by, request, times },
      ...{ refusal: oneLine(refusal, "refused"), reason: "none that counts" },
    })
    this.#isFailing = false
  }
}
