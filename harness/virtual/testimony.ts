import type { LogLine } from "../../firmware/log.ts"

const COMPLAINTS_MAX = 20

/** What a camera says of itself, by its log lines. */
export class Testimony {
  connects = 0
  /** Clips in which recognition saw nobody. */
  discarded = 0
  /** Of clips that were finished and kept: how many objects. */
  readonly recorded = new Map<string, number>()
  /** Clips that a power cut ended: how many segments were safe by then. Disks here have no end, so nothing may leave one. */
  readonly cut = new Map<string, number>()
  /** Clips of which the camera said afterwards that they were cut: after how many segments. */
  readonly recovered = new Map<string, number>()
  /** What it said that should not be there; the first 20. */
  readonly complaints: string[] = []
  /** Clips that are being made: how many of their segments are safe. */
  readonly #open = new Map<string, number>()

  /** Not while it is without power: what a dying camera says is the power cut's doing. */
  note(line: LogLine): void {
    switch (line.event) {
      case "connected":
        this.connects++
        break
      case "clip opened":
        this.#open.set(line.clip, 0)
        break
      case "object sealed":
        if (line.kind === "segment") this.#open.set(line.clip, line.index + 1)
        break
      case "clip recorded":
        this.#open.delete(line.clip)
        this.recorded.set(line.clip, line.objects)
        break
      case "clip recovered":
        this.recovered.set(line.clip, line.segments)
        break
      case "clip discarded":
        this.#open.delete(line.clip)
        this.discarded++
        break
      case "clip lost":
        this.#open.delete(line.clip)
        this.complain(line.event)
        break
      case "fault":
      case "lens lost":
      case "receipt refused":
      case "spool damaged":
      case "media skipped":
        this.complain(`${line.event}: ${line.reason}`)
        break
      default:
        break
    }
  }

  /** What was being made stays as it was safe until now. */
  powerCut(): void {
    for (const [clip, segments] of this.#open) this.cut.set(clip, segments)
    this.#open.clear()
  }

  /** It has ended: what it has not finished it never will. */
  end(): void {
    for (const clip of this.#open.keys()) this.complain(`clip ${clip} was not finished`)
    this.#open.clear()
  }

  complain(complaint: string): void {
    if (this.complaints.length < COMPLAINTS_MAX) this.complaints.push(complaint)
  }
}
