import type { LogLine } from "../firmware/log.ts"
import type { Bytes, Milliseconds } from "../firmware/units.ts"
import { Complaints, type IsExpected } from "./complaints.ts"

/**
 * What became of one clip, by its camera's own words. "open": not finished; "lost": the camera could not make it;
 * "cut": the power went while it was made, and what was sealed until then must be there.
 */
export type ClipOutcome = "open" | "recorded" | "discarded" | "lost" | "cut"

export interface ClipTally {
  readonly clip: string
  readonly trigger: "motion" | "bell"
  /** Which of the lens's groups of pictures was being taken when the camera was triggered. */
  readonly triggerGroup: number
  /** And when what triggered it had ended; null: it had not. */
  stillGroup: number | null
  outcome: ClipOutcome
  /** From the fleet's start. */
  readonly openedAt: Milliseconds
  /** When its outcome was known; null: it is not. */
  endedAt: Milliseconds | null
  segments: number
  objects: number
  sealedBytes: Bytes
  paddingBytes: Bytes
}

export interface SequenceRange {
  readonly from: number
  readonly to: number
}

/** Hears of every time that a camera took for something. */
export interface TallyTimes {
  /** From an object's listing to its receipt. */
  readonly receipt?: (latency: Milliseconds) => void
  /** From when somebody was to come by to the first receipt for their clip. */
  readonly alert?: (latency: Milliseconds) => void
  /** From the first dial without a connection to being connected. */
  readonly connect?: (latency: Milliseconds) => void
  /** How long the camera will wait before it dials again. */
  readonly backOff?: (wait: Milliseconds) => void
}

/** Counts one camera by its log lines, whose vocabulary is closed. */
export class CameraTally {
  device: string | null = null
  connects = 0
  connected = false
  dials = 0
  disconnects = 0
  refusedUploads = 0
  visits = 0
  missedVisits = 0
  readonly clips = new Map<string, ClipTally>()
  readonly received: SequenceRange[] = []
  readonly dropped: SequenceRange[] = []
  /** Objects in manifests that were sent, and entries of manifests that were receipted. */
  uploadedObjects = 0
  receivedEntries = 0
  recordedObjects = 0
  readonly complaints: Complaints
  /** The fleet's start on the monotonic clock. */
  begun: Milliseconds = 0
  readonly #times: TallyTimes
  #dialledAt: Milliseconds | null = null
  /** When whoever came last was to come, until a clip is opened for them. */
  #expected: Milliseconds | null = null
  /** Of the clips whose first receipt has not come: when it was due. */
  readonly #alerts = new Map<string, Milliseconds>()

  constructor(times: TallyTimes = {}, isExpected: IsExpected = () => false) {
    this.#times = times
    this.complaints = new Complaints(isExpected)
  }

  /** No clip is being made. */
  get isIdle(): boolean {
    for (const clip of this.clips.values()) if (clip.outcome === "open") return false
    return true
  }

  /** No clip is being made and all that was recorded is receipted. */
  get settled(): boolean {
    return this.isIdle && this.receivedEntries >= this.recordedObjects
  }

  /** It tries to connect. */
  dialled(): void {
    this.dials++
    this.#dialledAt ??= performance.now()
  }

  /** Somebody comes by, or rings, and was to do so at `due`. `seen`: the camera is on. */
  visited(due: Milliseconds, seen: boolean): void {
    this.visits++
    if (!seen) this.missedVisits++
    else this.#expected = due
  }

  /** What was being made stays as it was sealed until now. */
  powerCut(): void {
    this.connected = false
    this.#expected = null
    for (const clip of this.clips.values()) if (clip.outcome === "open") this.#end(clip, "cut")
  }

  /** `group`: how many groups of pictures the lens had given. */
  note(line: LogLine, group: number): void {
    switch (line.event) {
      case "started":
        this.device = line.device
        break
      case "connected":
        this.connects++
        this.connected = true
        if (this.#dialledAt !== null) this.#times.connect?.(performance.now() - this.#dialledAt)
        this.#dialledAt = null
        break
      case "disconnected":
        this.disconnects++
        this.connected = false
        this.#times.backOff?.(line.againIn)
        break
      case "clip opened":
        this.clips.set(line.clip, newClip(line.clip, line.trigger, group, this.#now))
        if (this.#expected !== null) this.#alerts.set(line.clip, this.#expected)
        this.#expected = null
        break
      case "object sealed":
        this.#sealed(line)
        break
      case "clip recorded":
        this.recordedObjects += line.objects
        this.#close(line.clip, "recorded")
        break
      case "clip discarded":
        this.#close(line.clip, "discarded")
        break
      case "clip lost":
        this.#close(line.clip, "lost")
        this.#complain(`clip lost: ${line.reason}`)
        break
      case "manifest sent":
        this.uploadedObjects += line.objects
        break
      case "upload refused":
        this.refusedUploads++
        break
      case "received":
        this.received.push({ from: line.from, to: line.to })
        this.receivedEntries += line.to - line.from + 1
        this.#times.receipt?.(line.after)
        for (const clip of line.clips) this.#alerted(clip)
        break
      case "dropped":
        this.dropped.push({ from: line.from, to: line.to })
        break
      case "fault":
        this.#complain(`fault in ${line.where}: ${line.reason}`)
        break
      case "lens lost":
      case "receipt refused":
      case "spool damaged":
        this.#complain(`${line.event}: ${line.reason}`)
        break
      case "media skipped":
        this.#complain(`media skipped: ${line.reason}`)
        break
      default:
        break
    }
  }

  /** The motion sensor went low. */
  still(group: number): void {
    for (const clip of this.clips.values())
      if (clip.outcome === "open" && clip.stillGroup === null) clip.stillGroup = group
  }

  #sealed(line: Extract<LogLine, { event: "object sealed" }>): void {
    const clip = this.clips.get(line.clip)
    if (!clip) return
    clip.objects++
    if (line.kind === "segment") clip.segments++
    clip.sealedBytes += line.sealedBytes
    clip.paddingBytes += line.paddingBytes
  }

  #alerted(clip: string): void {
    const due = this.#alerts.get(clip)
    if (due === undefined) return
    this.#alerts.delete(clip)
    this.#times.alert?.(performance.now() - due)
  }

  #close(id: string, outcome: ClipOutcome): void {
    const clip = this.clips.get(id)
    if (clip) this.#end(clip, outcome)
    if (outcome !== "recorded") this.#alerts.delete(id)
  }

  #end(clip: ClipTally, outcome: ClipOutcome): void {
    clip.outcome = outcome
    clip.endedAt = this.#now
  }

  #complain(line: string): void {
    this.complaints.add(line, this.#now)
  }

  get #now(): Milliseconds {
    return performance.now() - this.begun
  }
}

function newClip(
  clip: string,
  trigger: ClipTally["trigger"],
  group: number,
  openedAt: Milliseconds,
): ClipTally {
  const stillGroup = trigger === "bell" ? group : null
  const counts = { segments: 0, objects: 0, sealedBytes: 0, paddingBytes: 0 }
  const times = { triggerGroup: group, stillGroup, openedAt, endedAt: null }
  return { clip, trigger, ...times, outcome: "open", ...counts }
}
