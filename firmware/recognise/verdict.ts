import type { Label } from "../ports.ts"

/**
 * Is this event worth a clip, and what is it? `by`: what said so.
 *
 *   bell       somebody wants to be seen
 *   no frames  the camera has no pictures to judge by: it keeps all that wakes it
 *   vote       the detector's frames agree
 *   motion     there is no detector, or it does not answer: what moved said it
 *   too late   nothing was sure in time, so it is kept
 */
export interface Verdict {
  readonly keep: boolean
  /** What it is, where the detector's frames agree. */
  readonly label: Label | null
  readonly by: "bell" | "no frames" | "vote" | "motion" | "too late"
}
