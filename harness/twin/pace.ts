import { wall } from "./wall.ts"
import "../virtual/install.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import { time } from "../virtual/install.ts"

/**
 * How virtual time passes beside a board: "wall", never ahead of the world's time, for parts that are real; or "free",
 * as fast as it can, for parts that know no other. Either way all happens at whole milliseconds, one input after
 * another, so what a real board gave in one run meets the same timers in the same order in the next.
 */
export class Pace {
  readonly #kind: "wall" | "free"
  readonly #lead: Milliseconds

  constructor(kind: "wall" | "free") {
    this.#kind = kind
    this.#lead = time.now - wall.now()
  }

  /** Lets time pass up to `until`, or less far: returns as soon as `look` says so, asked after each instant. */
  async pass(until: Milliseconds, look: () => boolean): Promise<void> {
    while (time.now < until && !look()) {
      const next = this.#kind === "free" ? until : Math.min(until, Math.floor(wall.now() + this.#lead))
      if (next > time.now) await time.advanceUntil(look, next - time.now)
      else await wall.pause(1)
    }
  }

  /** Lets time pass until `work` is done; `work` may need the real world. */
  async during<T>(work: Promise<T>): Promise<T> {
    let settled = false
    const note = () => {
      settled = true
    }
    work.then(note, note)
    while (!settled) {
      const now = Math.floor(wall.now() + this.#lead)
      if (this.#kind === "wall" && now > time.now) await time.advanceUntil(() => settled, now - time.now)
      else await wall.pause(1)
    }
    return work
  }
}

/** All that this instant still holds. */
export function settled(): Promise<void> {
  return time.advance(0)
}
