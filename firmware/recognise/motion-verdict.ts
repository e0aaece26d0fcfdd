import { type Milliseconds, seconds } from "../units.ts"
import type { MotionKind, MotionSeen } from "./motion.ts"
import type { Outcome } from "./vote.ts"

/** Looks that must agree that nobody is there. */
const LOOKS = 3
const LOOKS_AT_LAST = 2
/** Of the picture: where as much is not as it was, it need not be leaves, however restless the place was before. */
const MUCH = 0.15
/** A sensor may feel somebody who is not in the picture yet. */
const NOT_BEFORE: Milliseconds = seconds(2)

/**
 * A verdict without a detector. It drops only what is surely nobody: pictures in which nothing is but noise, drops and
 * what sways by itself. Whatever moves as a body is kept, be it a bag in the wind, and so is what cannot be seen, in the
 * dark or while the light itself changes: better a clip too many than a visitor lost.
 */
export class MotionVerdict {
  readonly #from: Milliseconds
  /** Of the event, how many looks on end showed nobody. */
  #nobody = 0
  /** Somebody may have been in a picture that said nothing: a car that comes near changes the exposure of all. */
  #unseen = false
  #at: Milliseconds

  constructor(from: Milliseconds) {
    this.#from = from
    this.#at = from
  }

  /** null: not settled yet. */
  add({ kind, share }: MotionSeen, at: Milliseconds): Outcome | null {
    this.#at = at
    if (kind === "moving") return { keep: true, label: null }
    this.#nobody = SURELY_NOBODY.includes(kind) ? this.#nobody + 1 : 0
    this.#unseen ||= kind === "light" || kind === "dark" || share > MUCH
    return this.#isNobody(LOOKS) ? { keep: false } : null
  }

  conclude(): Outcome | null {
    return this.#isNobody(LOOKS_AT_LAST) ? { keep: false } : null
  }

  #isNobody(looks: number): boolean {
    return !this.#unseen && this.#nobody >= looks && this.#at - this.#from >= NOT_BEFORE
  }
}

const SURELY_NOBODY: readonly MotionKind[] = ["still", "sway"]
