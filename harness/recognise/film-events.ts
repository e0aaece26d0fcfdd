import type { Label } from "../../firmware/ports.ts"
import { LABELS } from "../../firmware/recognise/count.ts"
import type { MotionKind } from "../../firmware/recognise/motion.ts"
import type { Verdict } from "../../firmware/recognise/recognise.ts"
import type { Seconds } from "../../firmware/units.ts"
import type { FilmEvent } from "./result.ts"

/** What one picture of a clip shows. */
export interface Presence {
  /** Of the motion stage. */
  readonly kind: MotionKind
  /** What the detector sees in it, by the camera's thresholds; null: it was not asked. */
  readonly labels: readonly Label[] | null
  /** What it sees with half the score that counts: who was there a moment ago may still be. */
  readonly faintly: readonly Label[]
}

const MOVES: readonly MotionKind[] = ["unsure", "moving"]
/** Something changes, whatever it is. */
const UNREST: readonly MotionKind[] = ["light", ...MOVES]
/** Motion cannot tell. */
const BLIND: readonly MotionKind[] = ["light", "dark"]

/** So many pictures may pass until a vote knows somebody who is there. */
const RECENT = 3
/** So many pictures after the last in which the detector saw somebody, what moves is the rest of them; later, a shadow. */
const REST_OF_THEM = 1
/** One picture is an opinion, two in a row are none. */
const ENDS_IT = 2
/** Of three looks; as the vote. */
const LOOKS_ENOUGH = 2

interface Stretch {
  readonly start: Seconds
  last: Seconds
  /** The first picture without anybody since. */
  until: Seconds | null
  moved: boolean
  readonly looks: Map<Label, number>
}

/**
 * The stretches of a kept clip in which somebody is there. What happens between two pictures is put in the middle
 * between them.
 */
export class Stretches {
  readonly #all: Stretch[] = []
  #before: Seconds | null = null
  /** When each of the latest pictures may have begun, as long as something changes in all of them. */
  #unrest: readonly Seconds[] = []
  /** Pictures since the detector saw somebody. */
  #unseen = 0
  #open: Stretch | null = null
  #nobody = 0

  /** `before`: the pictures before the clip. Who is recognised in its first looks may have come in them. */
  constructor(before: readonly { readonly at: Seconds; readonly kind: MotionKind }[]) {
    for (const { at, kind } of before) this.#notice(at, kind)
  }

  add(at: Seconds, picture: Presence): void {
    const { kind, labels } = picture
    const somebody = this.#isSomebody(picture)
    const moved = kind === "moving"
    const before = this.#before
    const since = this.#notice(at, kind)
    if (somebody) {
      this.#open ??= {
        start: this.#all.length === 0 ? since : between(before, at),
        last: at,
        until: null,
        moved: false,
        looks: new Map(),
      }
      const open = this.#open
      open.last = at
      open.until = null
      open.moved ||= moved
      for (const label of labels ?? []) open.looks.set(label, (open.looks.get(label) ?? 0) + 1)
      this.#nobody = 0
    } else if (this.#open) {
      this.#open.until ??= at
      if (somebody === false && ++this.#nobody >= ENDS_IT) this.#close(this.#open)
    }
  }

  /** When somebody was there last; null: nobody was. */
  get lastSeen(): Seconds | null {
    return (this.#open ?? this.#all.at(-1))?.last ?? null
  }

  /**
   * There are no more pictures. A stretch is an event where two looks agree on what it is; without a model, where
   * something moved; and where the verdict fell in it. `decided`: when.
   */
  end({ label, by }: Verdict, woken: Seconds, decided: Seconds): readonly FilmEvent[] {
    if (this.#open) this.#close(this.#open)
    const events = this.#all.flatMap((stretch) => {
      const { start, last, until } = stretch
      const end = until === null ? last : between(last, until)
      const mostly = mostSeen(stretch.looks)
      if (mostly) return [{ start, end, label: mostly, by }]
      const isJudged = start <= decided && decided <= (until ?? last) + (decided - woken)
      return isJudged || (by === "motion" && stretch.moved)
        ? [{ start, end, label: isJudged ? label : null, by }]
        : []
    })
    return events.length > 0 ? events : [{ start: woken, end: decided, label, by }]
  }

  /** Since when something has changed, of the latest pictures. */
  #notice(at: Seconds, kind: MotionKind): Seconds {
    const began = between(this.#before, at)
    this.#unrest = UNREST.includes(kind) ? [...this.#unrest, began].slice(-RECENT) : []
    this.#before = at
    return this.#unrest[0] ?? began
  }

  /** null: this picture cannot tell. */
  #isSomebody({ kind, labels, faintly }: Presence): boolean | null {
    if (labels === null) return BLIND.includes(kind) ? null : MOVES.includes(kind)
    const there = labels.length > 0 || faintly.some((label) => this.#open?.looks.has(label))
    this.#unseen = there ? 0 : this.#unseen + 1
    return there || (this.#open !== null && this.#unseen <= REST_OF_THEM && MOVES.includes(kind))
  }

  #close(stretch: Stretch): void {
    this.#all.push(stretch)
    this.#open = null
    this.#nobody = 0
  }
}

function mostSeen(looks: ReadonlyMap<Label, number>): Label | null {
  const count = (label: Label) => looks.get(label) ?? 0
  const most = LABELS.reduce((a, b) => (count(b) > count(a) ? b : a))
  return count(most) >= LOOKS_ENOUGH ? most : null
}

/** What happens between two pictures is put in the middle. `before` null: there is no picture before. */
const between = (before: Seconds | null, after: Seconds): Seconds =>
  before === null ? after : (before + after) / 2
