import { z } from "zod"

/** What insiders tried in a run, what came of it, and what they can learn all the same: a part of `report.json`. */

const count = z.int().min(0)

export const checkShape = z.strictObject({
  /** C1 to C21. */
  id: z.string().regex(/^C\d{1,2}$/),
  says: z.string().min(1),
  incident: z.string().min(1),
  /** What somebody would have got. */
  asset: z.string().min(1),
  /** 0: nobody tried, or could; that fails. */
  tries: count,
  /** More than 0 fails. */
  violations: count,
  /** Of the same check on this very source with its historical mistake; null: not run, "obscura insider --mutants" does. */
  mutantViolations: count.nullable(),
  by: z.array(z.strictObject({ insider: z.string().min(1), tries: count, violations: count })),
  evidence: z.array(z.string()),
})

export const insiderShape = z.strictObject({ name: z.string().min(1), has: z.string().min(1) })

export const leakShape = z.strictObject({
  /** Who learns it, what, and how it was measured, in words. */
  what: z.string().min(1),
  value: z.number(),
  unit: z.string(),
  /** What somebody would have without looking; null: nothing to compare with. */
  against: z.number().nullable(),
  /** Of how many. */
  samples: count,
})

export const privacyShape = z.strictObject({
  checks: z.array(checkShape),
  insiders: z.array(insiderShape),
  leakage: z.array(leakShape),
})
export type PrivacyFindings = z.infer<typeof privacyShape>
export type Check = z.infer<typeof checkShape>
export type Leak = z.infer<typeof leakShape>

export const isBroken = ({ tries, violations }: Pick<Check, "tries" | "violations">): boolean =>
  tries === 0 || violations > 0
