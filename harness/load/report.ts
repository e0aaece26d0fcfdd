import { readFile, writeFile } from "node:fs/promises"
import { z } from "zod"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { checkShape, insiderShape, leakShape } from "./privacy-shape.ts"

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

export const thresholdShape = z.strictObject({
  metric: z.string().min(1),
  /** As k6 spells it: p(95)<500. */
  expr: z.string().min(1),
  /** What the left side came to; null: the metric never fired, which fails. */
  value: z.number().nullable(),
  pass: z.boolean(),
})

export const faultStruckShape = z.strictObject({
  /** Seconds from the first camera's start. */
  at: measure,
  /** Seconds; null: at one moment. */
  for: measure.nullable(),
  kind: z.string().min(1),
  /** Its numbers, in words; may be empty. */
  detail: z.string(),
  /** "cloud", or which cameras: indexes and ranges, 0-3,7. */
  target: z.string().min(1),
})

/** One of the cameras that fared worst. */
export const worstShape = z.strictObject({
  camera: count,
  up: z.boolean(),
  connects: count,
  clips: count,
  lost: count,
  dropped: count,
  p95Ms: measure.nullable(),
  complaints: z.array(z.string()),
})

export const reportShape = z.strictObject({
  schema: z.literal("obscura.report.v2"),
  scenario: z.string().min(1),
  seed: count,
  commit: z.string().min(1),
  /** SHA-256 of the camera's sources that ran, as `firmwareHash`; absent: an older report. */
  firmware: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  command: z.string().min(1),
  /** 99: nothing broke, but a threshold failed. */
  exitCode: z.union([z.literal(0), z.literal(1), z.literal(99)]),
  /** How long things happened, before the final phase. */
  seconds: measure,
  cameras: z.strictObject({ asked: count, connected: count, failed: count }),
  clips: z.strictObject({
    recorded: count,
    discarded: count,
    /** The power went while they were recorded. */
    cut: count,
    delivered: count,
    opened: count,
    lost: count,
    doubled: count,
    openedByOthers: count,
  }),
  segments: z.strictObject({ sealed: count, delivered: count, dropped: count }),
  bytes: z.strictObject({ sealed: count, padding: count }),
  invariants: z.array(invariantShape),
  /** What broke, one line each, naming cameras; the first 20. */
  failures: z.array(z.string()),
  /** C1 to C21, and who tried; absent: no insiders tried. */
  checks: z.array(checkShape).optional(),
  insiders: z.array(insiderShape).optional(),
  /** What insiders learn all the same. */
  leakage: z.array(leakShape).optional(),
  thresholds: z.array(thresholdShape),
  /** What struck whom and when, in order. */
  faults: z.array(faultStruckShape),
  /** Every metric that fired: a number for a gauge or rate, for a counter its count and rate, for a trend its percentiles. */
  metrics: z.record(z.string(), z.union([z.number(), z.record(z.string(), z.number())])),
  worst: z.array(worstShape),
  connects: z.strictObject({
    /** Most in one second. */
    perSecond: measure.nullable(),
    /** Against bare mqtt.js clients on the same machine; null: not measured in this run. */
    ratio: measure.nullable(),
  }),
  /** null: nothing was received. */
  latency: z.strictObject({ p50Ms: measure.nullable(), p95Ms: measure.nullable() }),
  /** How old pictures were when live viewers had them; null: nobody looked. */
  live: z.strictObject({ pictures: count, p50Ms: measure, p95Ms: measure }).nullable().default(null),
  /** null: nothing was delivered. */
  cpu: z.strictObject({
    /** Sealing included. */
    camerasSecondsPerGB: measure.nullable(),
    sealingSecondsPerGB: measure.nullable(),
    /** Ingest left out. */
    brokerSecondsPerGB: measure.nullable(),
    ingestSecondsPerGB: measure.nullable(),
  }),
  memory: z.strictObject({
    camerasMiB: measure,
    brokerMiB: measure,
    /** What the cameras' processes grew by until nothing had moved yet, for each camera; null: something had. */
    idleKiBPerCamera: measure.nullable(),
  }),
  generator: z.strictObject({ lagP99Ms: measure }),
  /** null: in real time. */
  virtual: z.strictObject({ seconds: measure, wallSeconds: measure }).nullable(),
  /** SHA-256 of what happened in order; in virtual time alone. */
  eventLogHash: z.string().nullable(),
})

export type Report = z.infer<typeof reportShape>
export type ThresholdResult = z.infer<typeof thresholdShape>
export type FaultStruck = z.infer<typeof faultStruckShape>
export type WorstCamera = z.infer<typeof worstShape>
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
