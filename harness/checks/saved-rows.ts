import { z } from "zod"
import { Fault, messageOf } from "../../firmware/errors.ts"

/** What `obscura mutants --json` prints, for whoever reads it later: what ran on which source, and what it found. */

const count = z.int().min(0)
const tally = z.strictObject({
  tries: count,
  violations: count,
  evidence: z.array(z.string()),
  leaked: z.strictObject({ clips: z.array(z.string()), frames: count }).default({ clips: [], frames: 0 }),
  cpuSeconds: z.number(),
})
const result = z.union([tally, z.strictObject({ stuck: z.string() })])
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

export const savedRowsShape = z.strictObject({
  version: z.literal(1),
  held: z.boolean(),
  /** Of every source, as `sourceHash`. */
  sources: sha256,
  /** Of the camera's, as `firmwareHash`. */
  firmware: sha256,
  rows: z.array(
    z.strictObject({
      rule: z.string(),
      check: z.string(),
      says: z.string(),
      safe: result,
      mistake: z.strictObject({ id: z.string(), says: z.string() }).nullable(),
      unsafe: result.nullable(),
      right: z.boolean(),
    }),
  ),
})
export type SavedRows = z.infer<typeof savedRowsShape>

/** @param path for the message. @throws Fault "usage", definite, one line: it is something else. */
export function parseRows(text: string, path: string): SavedRows {
  try {
    return savedRowsShape.parse(JSON.parse(text))
  } catch (cause) {
    const why =
      cause instanceof z.ZodError
        ? `${cause.issues[0]?.path.join(".") || "all of it"} is of another shape`
        : (messageOf(cause).split("\n")[0] ?? "").replace(/\p{Cc}/gu, " ")
    throw new Fault("usage", `${path}: not from "obscura mutants --json" (${why})`, { cause })
  }
}
