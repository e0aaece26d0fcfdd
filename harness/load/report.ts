import { readFile, writeFile } from "node:fs/promises"
import { z } from "zod"
import { Fault, messageOf } from "../../firmware/errors.ts"

/** `report.json`: harness/README.md says what each field counts and in what unit. */

const count = z.int().min(0)
const measure = z.number().min(0)

export const invariantShape = z.strictObject({
  name: z.string().min(1),
  count,
  /** The run fails when `count` is more. */
  limit: count,
  /** How it was looked for, in words. */
  detail: z.string(),
})

export const reportShape = z.strictObject({
  schema: z.literal("obscura.report.v1"),
  seed: count,
  commit: z.string().min(1),
  command: z.string().min(1),
  exitCode: z.union([z.literal(0), z.literal(1)]),
  cameras: z.strictObject({ asked: count, connected: count, failed: count }),
  clips: z.strictObject({
    recorded: count,
    discarded: count,
    delivered: count,
    opened: count,
    lost: count,
    doubled: count,
    openedByOthers: count,
  }),
  segments: z.strictObject({ sealed: count, delivered: count, dropped: count }),
  bytes: z.strictObject({ sealed: count, padding: count }),
  invariants: z.array(invariantShape),
  /** null: nothing was received. */
  latency: z.strictObject({ p50Ms: measure.nullable(), p95Ms: measure.nullable() }),
  /** null: nothing was delivered. */
  cpu: z.strictObject({
    camerasSecondsPerGB: measure.nullable(),
    brokerSecondsPerGB: measure.nullable(),
  }),
  memory: z.strictObject({ camerasMiB: measure, brokerMiB: measure }),
  generator: z.strictObject({ lagP99Ms: measure }),
})

export type Report = z.infer<typeof reportShape>
export type Invariant = z.infer<typeof invariantShape>

/** @throws Fault "broken": not a report. */
export function parseReport(text: string): Report {
  try {
    return reportShape.parse(JSON.parse(text))
  } catch (cause) {
    throw new Fault("broken", `not a report: ${messageOf(cause).split("\n")[0]}`, { cause })
  }
}

export async function readReport(path: string): Promise<Report> {
  return parseReport(await readFile(path, "utf8"))
}

export function printReport(report: Report): string {
  return `${JSON.stringify(reportShape.parse(report), null, 2)}\n`
}

export async function writeReport(path: string, report: Report): Promise<void> {
  await writeFile(path, printReport(report))
}
