import type { Tally } from "./check.ts"

/** What the process that runs checks, and the one that asks for them, say to each other. */

export interface ToChecks {
  readonly kind: "check"
  /** By its rule. */
  readonly theme: string
  readonly ids: readonly string[]
}

export type FromChecks =
  | { readonly kind: "checked"; readonly id: string; readonly tally: Tally; readonly cpuSeconds: number }
  /** It threw: it could not look. */
  | { readonly kind: "stuck"; readonly id: string; readonly reason: string }
  | { readonly kind: "finished" }
