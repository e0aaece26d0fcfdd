import type { Label } from "../ports.ts"
import { LABELS, NOBODY, type Scores, shows } from "./count.ts"
import type { RecogniseSettings } from "./settings.ts"

const FRAMES = 3
const ENOUGH = 2

/** Keep, and as what (null: the frames do not agree); or drop. */
export type Outcome = { readonly keep: true; readonly label: Label | null } | { readonly keep: false }

/**
 * One frame is an opinion; two of the last three are a verdict. To drop a clip is for ever, so that takes three looks of
 * which the last two show nobody: whoever was seen but once, just now or the time before, is waited for.
 */
export class Vote {
  readonly #settings: RecogniseSettings
  /** Of the last frames, at most three, oldest first. */
  #history: readonly Scores[] = []

  constructor(settings: RecogniseSettings) {
    this.#settings = settings
  }

  get looks(): number {
    return this.#history.length
  }

  /** By label, the middle score of the last three frames; those that are still to come count as 0. */
  get medians(): Scores {
    const medians = { ...NOBODY }
    for (const label of LABELS) {
      const scores = this.#history.map((scores) => scores[label])
      while (scores.length < FRAMES) scores.push(0)
      medians[label] = scores.sort((a, b) => a - b)[1] ?? 0
    }
    return medians
  }

  /**
   * null: not settled yet. `earlier`: what the frame before showed, too, as this one tells. `waits`: something is there of
   * which only the next frame will tell what it is.
   */
  add(scores: Scores, earlier: Scores = NOBODY, waits = false): Outcome | null {
    const history = this.#history.map((each, at, { length }) =>
      at === length - 1 ? higher(each, earlier) : each,
    )
    this.#history = [...history, scores].slice(-FRAMES)
    if (this.#showing >= ENOUGH) return { keep: true, label: this.#label() }
    return this.#history.length === FRAMES && this.#isOver && !waits ? { keep: false } : null
  }

  /** There will be no more frames: two without anybody are enough then. null: too few to say. */
  conclude(): Outcome | null {
    return this.looks >= ENOUGH && this.#showing === 0 ? { keep: false } : null
  }

  get #showing(): number {
    return this.#history.filter((scores) => shows(scores, this.#settings)).length
  }

  get #isOver(): boolean {
    return !this.#history.slice(-ENOUGH).some((scores) => shows(scores, this.#settings))
  }

  /** What the frames agree on, or what they show most where they show somebody and do not agree. */
  #label(): Label | null {
    const { minScore } = this.#settings
    const above = (scores: Scores, label: Label) => scores[label] >= minScore[label]
    const agreed = LABELS.filter((label) => above(this.medians, label))
    const medians = this.medians
    if (agreed.length > 0) return agreed.reduce((a, b) => (medians[b] > medians[a] ? b : a))
    const total = (label: Label) =>
      this.#history.reduce((sum, scores) => sum + (above(scores, label) ? scores[label] : 0), 0)
    return LABELS.reduce((a, b) => (total(b) > total(a) ? b : a))
  }
}

function higher(a: Scores, b: Scores): Scores {
  return {
    person: Math.max(a.person, b.person),
    animal: Math.max(a.animal, b.animal),
    vehicle: Math.max(a.vehicle, b.vehicle),
  }
}
