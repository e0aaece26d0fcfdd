import { z } from "zod"
import type { CameraConfig } from "../../firmware/config.ts"
import type { Milliseconds } from "../../firmware/units.ts"

/**
 * What one board gave its camera, and what the camera made of it: records {port, at, what, …} with bytes, in the order
 * of their times. `at` is in whole milliseconds since the trace began.
 *
 *   inputs      lens piece · lens ended · lens moving · pins edge · pins driven · health reading
 *   events      lens asked · pins write · pins pattern · log line
 *   outcome     clip · segment · thumbnail, as the owner opened them: plain bytes
 */

const at = z.int().min(0).max(86_400_000)
const pin = z.int().min(0).max(27)
const text = z.string().max(2_000)
const ticks = z.int()

const pieceShape = z.strictObject({
  port: z.literal("lens"),
  at,
  what: z.literal("piece"),
  /** When the board's lens says that the piece arrived: not after `at`. */
  arrived: z.number(),
  /** [pts, dts] of each access unit that begins in it. */
  timing: z.array(z.tuple([ticks, ticks])).optional(),
  startsKeyFrame: z.boolean().optional(),
  endsUnit: z.boolean().optional(),
})
const endedShape = z.strictObject({
  port: z.literal("lens"),
  at,
  what: z.literal("ended"),
  /** null: without a fault. */
  reason: text.nullable(),
})
const movingShape = z.strictObject({
  port: z.literal("lens"),
  at,
  what: z.literal("moving"),
  moving: z.boolean(),
  seen: z.number(),
})
const edgeShape = z.strictObject({
  port: z.literal("pins"),
  at,
  what: z.literal("edge"),
  pin,
  level: z.literal([0, 1]),
})
const drivenShape = z.strictObject({
  port: z.literal("pins"),
  at,
  what: z.literal("driven"),
  pin,
  /** null: the wire has it. */
  refusal: text.nullable(),
})
const readingShape = z.strictObject({
  port: z.literal("health"),
  at,
  what: z.literal("reading"),
  temperatureCelsius: z.number().nullable(),
  undervoltage: z.boolean().nullable(),
  throttled: z.boolean().nullable(),
})
const inputShape = z.discriminatedUnion("what", [
  pieceShape,
  endedShape,
  movingShape,
  edgeShape,
  drivenShape,
  readingShape,
])

const eventShape = z.discriminatedUnion("what", [
  z.strictObject({ port: z.literal("lens"), at, what: z.literal("asked") }),
  z.strictObject({
    port: z.literal("pins"),
    at,
    what: z.literal("write"),
    pin,
    value: z.number(),
    /** What the configuration calls the pin. */
    name: text,
  }),
  z.strictObject({
    port: z.literal("pins"),
    at,
    what: z.literal("pattern"),
    pin,
    durations: z.array(z.number()).max(64),
    name: text,
  }),
  z.strictObject({ port: z.literal("log"), at, what: z.literal("line"), text }),
])

export type TracedSummary = z.infer<typeof summaryShape>
const summaryShape = z.strictObject({
  trigger: z.enum(["motion", "bell"]),
  /** Milliseconds since the trace began. */
  startedAt: z.number(),
  /** Milliseconds. */
  duration: z.number(),
  segments: z.int(),
  label: text.nullable(),
  by: text,
})

const outcomeShape = z.discriminatedUnion("what", [
  z.strictObject({
    port: z.literal("cloud"),
    at,
    what: z.literal("clip"),
    /** What the camera says of it, without its id; null: it said nothing. */
    summary: summaryShape.nullable(),
    whole: z.boolean(),
  }),
  z.strictObject({ port: z.literal("cloud"), at, what: z.literal("segment") }),
  z.strictObject({ port: z.literal("cloud"), at, what: z.literal("thumbnail") }),
])

export const recordShape = z.discriminatedUnion("port", [
  z.discriminatedUnion("what", [pieceShape, endedShape, movingShape, eventShape.options[0]]),
  z.discriminatedUnion("what", [edgeShape, drivenShape, eventShape.options[1], eventShape.options[2]]),
  readingShape,
  eventShape.options[3],
  outcomeShape,
])

export const BOARDS = ["pi", "virtual"] as const
export type BoardName = (typeof BOARDS)[number]

/** What a replay needs to know beforehand. */
export const beginShape = z.strictObject({
  board: z.enum(BOARDS),
  /** Until then the board gave, in milliseconds; a clip that was still open ended there. */
  duration: at,
  /** Its lens looked for motion, too. */
  lensWatches: z.boolean(),
  config: z.looseObject({}),
})

export interface Begin {
  readonly board: BoardName
  readonly duration: Milliseconds
  readonly lensWatches: boolean
  readonly config: CameraConfig
}

type WithBytes<T> = T & { readonly bytes: Uint8Array }
export type Input = WithBytes<z.infer<typeof inputShape>>
export type TwinEvent = WithBytes<z.infer<typeof eventShape>>
export type Outcome = WithBytes<z.infer<typeof outcomeShape>>
export type TraceRecord = Input | TwinEvent | Outcome

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
/** An input that has not been given yet, and so has no time. */
export type Fed = Without<Input, "at">
/** An event as it is said: when, its hearer knows. */
export type Said = Without<TwinEvent, "at" | "bytes">

export interface Trace {
  readonly begin: Begin
  readonly records: readonly TraceRecord[]
}

export const NO_BYTES = new Uint8Array()

const INPUTS: ReadonlySet<string> = new Set(inputShape.options.map((each) => each.shape.what.value))
const EVENTS: ReadonlySet<string> = new Set(eventShape.options.map((each) => each.shape.what.value))

export function isInput(record: TraceRecord): record is Input {
  return INPUTS.has(record.what)
}

export function isEvent(record: TraceRecord): record is TwinEvent {
  return EVENTS.has(record.what)
}

/** Field by field; empty where the camera said nothing. */
export type ClipSummary = Readonly<Record<string, string | number | null>>

/** A clip as its owner opened it. */
export interface OpenedClip {
  /** When the camera said that it began one. */
  readonly at: Milliseconds
  readonly summary: ClipSummary
  readonly whole: boolean
  readonly segments: readonly Uint8Array[]
  readonly thumbnail: Uint8Array | null
}

/** The clips of a run, in the order in which they were recorded. */
export function clipsOf(records: readonly TraceRecord[]): readonly OpenedClip[] {
  const clips: (OpenedClip & { segments: Uint8Array[]; thumbnail: Uint8Array | null })[] = []
  for (const record of records) {
    if (record.port !== "cloud") continue
    if (record.what === "clip") {
      const { at, summary, whole } = record
      clips.push({ at, summary: summary ?? {}, whole, segments: [], thumbnail: null })
    } else if (record.what === "segment") clips.at(-1)?.segments.push(record.bytes)
    else {
      const clip = clips.at(-1)
      if (clip) clip.thumbnail = record.bytes
    }
  }
  return clips
}
