import type { Milliseconds, UnixMilliseconds } from "../../../firmware/units.ts"
import { Recent } from "../recent.ts"

/** So many may come together, and then one more each time that this has passed. */
export interface Bound {
  readonly together: number
  readonly every: Milliseconds
}

interface Left {
  left: number
  since: UnixMilliseconds
}

/** What is not asked for longest is forgotten, and begins anew with all it may have. */
const NAMES_MAX = 16_384

/** What each name, a camera's say, may still have. */
export class Allowance {
  readonly #bound: Bound
  readonly #now: () => UnixMilliseconds
  readonly #names = new Recent<Left>(NAMES_MAX)

  constructor(bound: Bound, now: () => UnixMilliseconds) {
    this.#bound = bound
    this.#now = now
  }

  isLeft(name: string): boolean {
    return this.#of(name).left > 0
  }

  take(name: string): void {
    this.#of(name).left--
  }

  /** A clock that is set back gives nothing, and takes nothing away. */
  #of(name: string): Left {
    const { together, every } = this.#bound
    const now = this.#now()
    const known = this.#names.get(name) ?? { left: together, since: now }
    const passed = Math.floor((now - known.since) / every)
    known.left = Math.min(together, known.left + Math.max(0, passed))
    known.since = passed < 0 ? now : known.since + passed * every
    this.#names.set(name, known)
    return known
  }
}
