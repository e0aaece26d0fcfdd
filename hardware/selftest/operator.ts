import type { Milliseconds } from "../../firmware/units.ts"

/** Whoever stands before the board: looks, presses, moves. */
export interface Operator {
  tell(text: string): void
  /** true: yes. null: no answer in time, or nobody is there any more. */
  ask(question: string, within: Milliseconds, signal: AbortSignal): Promise<boolean | null>
}
