import type { Milliseconds } from "../../firmware/units.ts"
import type { LensSeen } from "./lens-seen.ts"
import type { Operator } from "./operator.ts"
import type { SelfTestRecord } from "./record.ts"
import type { World } from "./world.ts"

export type Verdict = "pass" | "fail" | "skipped"

/** Names carry their units: `p95Milliseconds`. null: not known. */
export type Facts = Readonly<Record<string, number | string | boolean | null>>

/** What a check says. */
export interface Finding {
  readonly verdict: Verdict
  /** One line: what was found, or what is wrong and what to do, or why it was skipped. */
  readonly why: string
  readonly measured?: Facts
  /** What `measured` was held against. */
  readonly limits?: Facts
}

/** A finding in the record. */
export interface CheckResult extends Required<Finding> {
  readonly name: string
  /** Skipped, it leaves the whole self-test incomplete. */
  readonly mandatory: boolean
  readonly duration: Milliseconds
}

/** One line of the self-test. */
export interface Check {
  readonly name: string
  readonly mandatory: boolean
  /** Beyond this it has failed; absent: a minute. */
  readonly within?: Milliseconds
  /**
   * Leaves everything as it found it, also when `signal` of the jig aborts.
   * A Fault that it throws is a failure, and its message says why.
   */
  run(jig: Jig): Promise<Finding>
}

/** A board in hand, and who stands before it. */
export interface Jig {
  readonly world: World
  readonly lens: LensSeen
  /** null: nobody looks, presses or moves. */
  readonly operator: Operator | null
  /** Of the board in hand; null: it has none. */
  readonly serial: string | null
  /** Records of earlier boards. */
  readonly seen: readonly SelfTestRecord[]
  readonly signal: AbortSignal
}

export const pass = (why: string, measured: Facts = {}, limits: Facts = {}): Finding => ({
  ...{ verdict: "pass", why, measured, limits },
})
export const fail = (why: string, measured: Facts = {}, limits: Facts = {}): Finding => ({
  ...{ verdict: "fail", why, measured, limits },
})
export const skipped = (why: string, measured: Facts = {}): Finding => ({
  ...{ verdict: "skipped", why, measured },
})

/** Passes unless there is something wrong. */
export function judged(
  wrong: readonly (string | null)[],
  right: string,
  measured: Facts,
  limits: Facts,
): Finding {
  const reasons = wrong.filter((reason) => reason !== null)
  return reasons.length > 0 ? fail(reasons.join("; "), measured, limits) : pass(right, measured, limits)
}
