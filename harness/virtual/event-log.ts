import { createHash } from "node:crypto"
import type { Milliseconds } from "../../firmware/units.ts"

/** Whose event it is: a camera's index. */
type CameraIndex = number

/**
 * What happened, as lines that a seed repeats:
 *
 *   <virtual time in milliseconds> SP <camera's index> SP <ordinal among that camera's events> SP <kind> LF
 *
 * Within one millisecond cameras come in order of their index. No line holds an id, a key or a size, for keys are real
 * and so differ from run to run. `hash` is SHA-256 over all lines.
 */
export class EventLog {
  count = 0
  readonly #hash = createHash("sha256")
  readonly #now: () => Milliseconds
  readonly #write: (lines: string) => void
  readonly #ordinals = new Map<CameraIndex, number>()
  #at: Milliseconds = 0
  #instant: { readonly camera: CameraIndex; readonly ordinal: number; readonly kind: string }[] = []

  /** `now`: since the run began. `write` gets the lines as they become final. */
  constructor(now: () => Milliseconds, write: (lines: string) => void = () => undefined) {
    this.#now = now
    this.#write = write
  }

  add(camera: CameraIndex, kind: string): void {
    const at = this.#now()
    if (at !== this.#at) this.#flush()
    this.#at = at
    const ordinal = this.#ordinals.get(camera) ?? 0
    this.#ordinals.set(camera, ordinal + 1)
    this.#instant.push({ camera, ordinal, kind })
  }

  /** Of all events; nothing can be added afterwards. */
  end(): string {
    this.#flush()
    return this.#hash.digest("hex")
  }

  #flush(): void {
    if (this.#instant.length === 0) return
    const events = this.#instant.sort((a, b) => a.camera - b.camera || a.ordinal - b.ordinal)
    const lines = events
      .map(({ camera, ordinal, kind }) => `${this.#at} ${camera} ${ordinal} ${kind}\n`)
      .join("")
    this.#hash.update(lines)
    this.#write(lines)
    this.count += events.length
    this.#instant = []
  }
}

/** Joins logs of different cameras, each in order, into the one log that they would have made together. */
export function mergeEvents(logs: readonly (readonly string[])[]): readonly string[] {
  const lines = logs.flat().map((line) => {
    const [at = "", camera = ""] = line.split(" ", 2)
    return { at: Number(at), camera: Number(camera), line }
  })
  // Stable, so ordinals stay in order.
  return lines.sort((a, b) => a.at - b.at || a.camera - b.camera).map(({ line }) => line)
}
