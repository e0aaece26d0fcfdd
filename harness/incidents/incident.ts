import type { CheckId } from "../insider/privacy-checks.ts"

/** Something that happened to people with cameras, and how it is tried here. */
export interface Incident {
  /** As the command line takes it: ring-2016. */
  readonly name: string
  readonly title: string
  readonly year: string
  /** Facts, a sentence or two each. */
  readonly happened: readonly string[]
  /** Whose publication tells of it, and what of it none at hand does. */
  readonly source: string
  /** What of the system let it happen. */
  readonly wrong: string
  /** What runs here: people who have the same access, and what they try. */
  readonly scenario: string
  readonly checks: readonly CheckId[]
  /** What of it, ids in `harness/unsafe/mistakes/`, is made again with --unsafe. */
  readonly mistakes: readonly string[]
}
