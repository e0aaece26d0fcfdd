import type { InvariantName } from "../load/findings.ts"

/** What speaks for a provision: a check of `obscura mutants`, C1 to C21 among them, an invariant of a run, or tests. */
export type Proof =
  | { readonly kind: "check"; readonly name: string }
  | { readonly kind: "invariant"; readonly name: InvariantName }
  /** A file or folder of `npm test`, which is not part of a run. */
  | { readonly kind: "tests"; readonly name: string }

export interface Provision {
  /** As its document numbers it. */
  readonly id: string
  /** What it asks for, in a few words of ours. */
  readonly title: string
  /** None: nothing here checks it. */
  readonly proofs: readonly Proof[]
  /** What the proofs leave open, or why there is none. */
  readonly note?: string
}

export interface Standard {
  readonly name: string
  readonly title: string
  readonly provisions: readonly Provision[]
}

export const checks = (...names: readonly string[]): Proof[] => names.map((name) => ({ kind: "check", name }))
export const invariants = (...names: readonly InvariantName[]): Proof[] =>
  names.map((name) => ({ kind: "invariant", name }))
export const tests = (...names: readonly string[]): Proof[] => names.map((name) => ({ kind: "tests", name }))
