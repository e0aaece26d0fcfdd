import type { Milliseconds } from "../firmware/units.ts"

/** Whether a fault explains what a camera said; `at` counts from the fleet's start. */
export type IsExpected = (complaint: string, at: Milliseconds) => boolean

const TOLD_MAX = 20

/**
 * What a camera said that should not be there and that no fault explains. What is expected takes no room: twenty such
 * lines would hide the one that is not.
 */
export class Complaints {
  /** In the camera's words; the first 20. */
  readonly told: string[] = []
  /** How many came after those. */
  more = 0
  readonly #isExpected: IsExpected

  constructor(isExpected: IsExpected) {
    this.#isExpected = isExpected
  }

  add(complaint: string, at: Milliseconds): void {
    if (this.#isExpected(complaint, at)) return
    if (this.told.length < TOLD_MAX) this.told.push(complaint)
    else this.more++
  }
}
