import { z } from "zod"
import { SCENES } from "../../simulator/footage.ts"
import { INVARIANTS, type InvariantName } from "../load/findings.ts"
import { faultShape } from "./faults-shape.ts"

/**
 * A story that a fleet lives through, and what must be true afterwards. Seconds count from the first camera's start.
 * `harness/scenarios` has the project's own, one file each; anybody's own file runs by its path.
 */

export const EYES = ["truth", "motion", "none", "model", "both"] as const

/** Of all shards together. What one machine carries, `--how-many` says. */
export const CAMERAS_MAX = 1_000_000
export const SECONDS_MAX = 86_400

const perCameraHour = z.number().gt(0).max(3_600)
/** How long somebody stays, in seconds. */
const stay = z.strictObject({ min: z.number().gt(0).max(600), max: z.number().gt(0).max(600) })
const STAY = { min: 2, max: 6 }
const visits = {
  /** Visits to one camera in an hour, on average. */
  perCameraHour,
  stay: stay.default(STAY),
}

/**
 * Who comes by, and when. But for "footage" the times are set beforehand from the seed and the clock alone (an open
 * loop): a fleet that is behind is not spared, and latency counts from the time that was set.
 */
export const arrivalsShape = z.discriminatedUnion("kind", [
  /** What moves in the footage is felt, and the camera's own eyes say what is worth a clip. */
  z.strictObject({
    kind: z.literal("footage"),
    /** In what part of its loops the sensor feels anything; then nobody rings. Absent: in all. */
    share: z.number().gt(0).max(1).optional(),
  }),
  /** Evenly. */
  z.strictObject({ kind: z.literal("steady"), ...visits }),
  /** From none to the rate, at the end. */
  z.strictObject({ kind: z.literal("ramp"), ...visits }),
  /** Evenly, and `times` as many from `at` on for `for` seconds. */
  z.strictObject({
    kind: z.literal("spike"),
    ...visits,
    at: z.number().min(0),
    for: z.number().gt(0),
    times: z.number().gt(1).max(100),
  }),
  /** A day in as long as the run takes: little at night, most around six in the evening. */
  z.strictObject({ kind: z.literal("evening-peak"), ...visits }),
  /** As many, but independently of each other. */
  z.strictObject({ kind: z.literal("poisson"), ...visits }),
])
export type Arrivals = z.infer<typeof arrivalsShape>

const limitShape = z.partialRecord(
  z.enum(Object.keys(INVARIANTS) as [InvariantName, ...InvariantName[]]),
  z.int().min(0),
)

export const scenarioShape = z.strictObject({
  /** One line. */
  description: z.string().min(1).max(120),
  fleet: z
    .strictObject({
      cameras: z.int().min(1).max(CAMERAS_MAX).default(200),
      /** A film's path; null: the project's own scenes. */
      scene: z.string().nullable().default(null),
      /** Which of the project's scenes, one after another; null: the usual eight. */
      scenes: z.array(z.enum(SCENES)).min(1).max(100).nullable().default(null),
      /**
       * By what clips are kept. "truth": by what the footage's truth says, told wrong as `errors` says. "motion": by what
       * moves in it, for there is no model. "none": whatever wakes a camera. "model": by a real model on the real pictures,
       * for a few cameras; each process of cameras takes 300 MB for it. "both": by what that model says of each key frame,
       * asked once beforehand, and the run says where truth and model differ; for any number of cameras. null: "truth" where the footage has one and says
       * who comes.
       */
      eyes: z.enum(EYES).nullable().default(null),
      /** With eyes "model" or "both": an ONNX file, or a model in ./obscura-home; null: the one that is installed there. */
      model: z.string().min(1).nullable().default(null),
      /** How often a look at the truth is wrong: a visitor missed, one invented; 0 to 1. */
      errors: z
        .strictObject({
          missed: z.number().min(0).max(1).default(0),
          invented: z.number().min(0).max(1).default(0),
        })
        .prefault({}),
      /** When somebody moves in that film, as --motion spells it; null: from the seed. */
      motion: z.string().nullable().default(null),
      /** The footage is shown faster or slower until it comes to this; null: as it is. */
      bitsPerSecond: z.int().min(50_000).max(20_000_000).nullable().default(null),
      /** Before which part of the cameras anything ever happens, 0 to 1. */
      recording: z.number().min(0).max(1).default(1),
      /**
       * "broker": each is paired by a press of its button, over the broker. "beforehand": its disk has what pairing
       * would leave, which for thousands of cameras saves minutes. Each has an owner of its own either way.
       */
      pairing: z.enum(["broker", "beforehand"]).default("broker"),
      /** Within so many seconds all have been started; null: 2 ms each, at least a second. */
      startWithin: z.number().min(0).max(SECONDS_MAX).nullable().default(null),
      /** Seconds from one signed sign of life to the next. */
      heartbeatEvery: z.number().min(1).max(3_600).default(30),
      /** Bytes that each camera's spool may take; null: the firmware's own default. */
      spoolBytesMax: z.int().min(1_000_000).nullable().default(null),
    })
    .prefault({}),
  /** How long things happen. */
  seconds: z.number().gt(0).max(SECONDS_MAX).default(30),
  arrivals: arrivalsShape.default({ kind: "footage" }),
  faults: z.array(faultShape).default([]),
  /**
   * Guests look live, each by a grant of the camera's owner that is renewed while they look: `viewers` at once at each of
   * the first `cameras`, from second `at` on. null: nobody does.
   */
  live: z
    .strictObject({
      cameras: z.int().min(1).max(1_000).default(1),
      viewers: z.int().min(1).max(8),
      at: z.number().min(0).max(SECONDS_MAX).default(3),
      seconds: z.number().gt(0).max(600),
    })
    .nullable()
    .default(null),
  /** Then all faults stop, nobody comes any more, and the fleet has this long to finish its clips and deliver them. */
  final: z.strictObject({ within: z.number().gt(0).max(3_600).default(60) }).prefault({}),
  /** An invariant's limit is 0 unless this says otherwise. */
  limits: limitShape.default({}),
  /** By metric: one expression or several, as in k6. */
  thresholds: z.record(z.string(), z.union([z.string(), z.array(z.string())])).default({}),
})

/** What a scenario's file exports as its default. */
export type ScenarioInput = z.input<typeof scenarioShape>
export type Scenario = z.output<typeof scenarioShape>
