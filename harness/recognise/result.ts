import type { Box, Label } from "../../firmware/ports.ts"
import type { Bytes, Milliseconds, Seconds } from "../../firmware/units.ts"
import type { LabelledEvent } from "./labels.ts"
import type { EventMatch, Tallies } from "./score.ts"

/**
 * What came of one run, without a picture in it: `recognise.json`. It names the user's files and says what is in them, so
 * it belongs where they are.
 */
export interface RecogniseRun {
  readonly schema: typeof SCHEMA
  /** ISO 8601. */
  readonly madeAt: string
  readonly model: ModelUsed | null
  /** What a camera with these settings would lack here, in words: a model, a decoder. */
  readonly lacks: readonly string[]
  /** Of the configuration, what recognition is decided by. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly pictures: readonly PictureResult[]
  readonly films: readonly FilmResult[]
  readonly failures: readonly Failure[]
  readonly warnings: readonly string[]
  /** null: no labels were given. */
  readonly score: Score | null
  readonly cost: Cost
}

export const SCHEMA = "obscura.recognise.v1"

export interface ModelUsed {
  readonly name: string
  readonly sha256: string
  readonly bytes: Bytes
}

/** A file that could not be looked at; the others were. */
export interface Failure {
  readonly file: string
  readonly reason: string
}

/** A box, and whether the camera's thresholds, zones and motion let it count. */
export interface SeenBox extends Box {
  readonly counts: boolean
}

export interface PictureResult {
  /** As the user called it, below the folder that was named. */
  readonly file: string
  readonly width: number
  readonly height: number
  readonly boxes: readonly SeenBox[]
  /** What a camera would say is in it. */
  readonly labels: readonly Label[]
  /** null: not labelled. */
  readonly truth: { readonly labels: readonly Label[]; readonly ignore: readonly Label[] } | null
  /** null: there is no model. */
  readonly milliseconds: Milliseconds | null
}

export interface FilmResult {
  readonly file: string
  readonly width: number
  readonly height: number
  readonly seconds: Seconds
  /** How many of its pictures were decoded, and how many the detector was asked about. */
  readonly pictures: number
  readonly asked: number
  readonly moments: readonly Moment[]
  readonly verdicts: readonly FilmVerdict[]
  /** What the camera would have kept, as stretches of the film. */
  readonly events: readonly FilmEvent[]
  /** null: not labelled. */
  readonly truth: readonly LabelledEvent[] | null
  readonly match: EventMatch | null
  readonly wallSeconds: Seconds
}

/** What the stages said of one picture. Shares are of the picture's area. */
export interface Moment {
  readonly at: Seconds
  readonly motion: { readonly kind: string; readonly changed: number }
  /** null: the detector was not asked. */
  readonly boxes: readonly SeenBox[] | null
  readonly milliseconds: Milliseconds | null
  /** The median score of each label over the last three looks; null: no vote. */
  readonly medians: Readonly<Record<Label, number>> | null
}

export interface FilmVerdict {
  /** When it was woken, and when it was decided. */
  readonly woken: Seconds
  readonly at: Seconds
  readonly keep: boolean
  readonly label: Label | null
  readonly by: string
}

export interface FilmEvent {
  readonly start: Seconds
  readonly end: Seconds
  readonly label: Label | null
  /** By what the verdict came. */
  readonly by: string
}

export interface Score {
  readonly pictures: { readonly labelled: number; readonly tallies: Tallies }
  /** `unnamed`: events that were invented, and had no label. */
  readonly films: { readonly labelled: number; readonly tallies: Tallies; readonly unnamed: number }
  /** Pictures without anything in them, and how many of them were called a person. */
  readonly empty: { readonly pictures: number; readonly falsePersons: number }
  /** Of labelled films: how long nobody was there, and how often a person was invented. */
  readonly alone: { readonly seconds: Seconds; readonly falsePersons: number }
}

export interface Cost {
  /** One entry for each look of the detector: how long it took here. null: it never looked. */
  readonly looks: number
  readonly p50: Milliseconds | null
  readonly p95: Milliseconds | null
  /** The most memory of this process while it looked: model, decoder and all. */
  readonly residentBytesMax: Bytes
  readonly filmSeconds: Seconds
  readonly wallSeconds: Seconds
}
