import type { Invariant } from "./report.ts"

/** Names as they stand in a report, and how each is looked for. */
export const INVARIANTS = {
  "cameras that did not come up": "never paired, never connected, or ended by a fault",
  "clips lost": "recorded by a camera, neither delivered nor dropped with a record",
  "clips doubled": "the same part of a clip listed under two ids or sequences",
  "clips unreadable": "not opened by their owner: signature, hash, commitment or tag",
  "clips that differ": "compared with their source, access unit by access unit, in bytes and in time",
  "clips that miss their motion": "pre-roll before the trigger, and on until the motion ended",
  "clips opened by others": "",
  "discarded clips in the cloud": "listed although their camera discarded them, or never recorded them",
  "objects that nobody lists": "in the bucket, and in no manifest",
  "alerts in chains of manifests": "gaps, forks, and links that are not their camera's",
  "complaints of cameras": "faults, lost pictures and unfinished clips that they logged",
  "canaries in plain": "",
  "cameras that did not recover":
    "not connected, or with something in their spool, when the final phase was over",
  "strangers let in": "connected under a camera's name without its key",
  "runs without a clip": "nothing was delivered, so nothing was shown to hold",
} as const
export type InvariantName = keyof typeof INVARIANTS

/** How much of each a scenario allows; 0 where it says nothing. */
export type Limits = { readonly [Name in InvariantName]?: number | undefined }

/** What a judge names one by one; the rest is only counted. */
export const FAILURES_MAX = 20

/** Counts what does not hold. */
export class Findings {
  /** One line each, naming the camera. */
  readonly failures: string[] = []
  readonly #counts = new Map<InvariantName, number>()
  readonly #details = new Map<InvariantName, string>()

  add(name: InvariantName, what: string, count = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count)
    if (this.failures.length < FAILURES_MAX) this.failures.push(`${name}: ${what}`)
  }

  /** How it was looked for in this run. */
  detail(name: InvariantName, text: string): void {
    this.#details.set(name, text)
  }

  invariants(limits: Limits = {}): readonly Invariant[] {
    return (Object.keys(INVARIANTS) as InvariantName[]).map((name) => ({
      name,
      count: this.#counts.get(name) ?? 0,
      limit: limits[name] ?? 0,
      detail: this.#details.get(name) ?? INVARIANTS[name],
    }))
  }
}
