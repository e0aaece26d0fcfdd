import { z } from "zod"

/** What a self-test leaves for the jig: README.md of this folder has it in words. */

const fact = z.union([z.number(), z.string(), z.boolean(), z.null()])
const facts = z.record(z.string(), fact)

const checkRecord = z.strictObject({
  name: z.string().min(1),
  verdict: z.enum(["pass", "fail", "skipped"]),
  mandatory: z.boolean(),
  why: z.string(),
  measured: facts,
  limits: facts,
  seconds: z.number().min(0),
})

export const selfTestRecord = z.strictObject({
  kind: z.literal("obscura self-test"),
  version: z.literal(1),
  verdict: z.enum(["pass", "fail", "incomplete"]),
  /** By the board's own clock, which may be wrong before NTP has answered: the check "clock" says. */
  begunAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  board: z.strictObject({
    serial: z.string().nullable(),
    model: z.string(),
    operatingSystem: z.string(),
    kernel: z.string(),
    firmware: z.string(),
    node: z.string(),
  }),
  /** 40 hex digits; null: it has no key. */
  device: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .nullable(),
  /** Did somebody look, press and move? */
  operator: z.boolean(),
  checks: z.array(checkRecord).min(1),
})
export type SelfTestRecord = z.infer<typeof selfTestRecord>
export type BoardFacts = SelfTestRecord["board"]

/** fail: a check failed. incomplete: none failed, but one that must be made was skipped. */
export function verdictOf(checks: readonly Pick<z.infer<typeof checkRecord>, "verdict" | "mandatory">[]) {
  if (checks.some(({ verdict }) => verdict === "fail")) return "fail"
  const missing =
    checks.length === 0 || checks.some(({ verdict, mandatory }) => mandatory && verdict === "skipped")
  return missing ? "incomplete" : "pass"
}
