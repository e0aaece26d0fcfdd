import { z } from "zod"
import { Fault } from "./errors.ts"
import { KiB, MiB } from "./units.ts"

/**
 * What may differ between two cameras of one firmware. Every field has a default; an unknown field is an error.
 * There is nothing here that could turn sealing, padding, signatures or the light off.
 */

const milliseconds = z.number().min(0).max(3_600_000)

const configShape = z.strictObject({
  lens: z
    .strictObject({
      width: z.int().min(64).max(4096).default(1280),
      height: z.int().min(64).max(4096).default(720),
      /** Nominal: used where the lens gives no timestamps. */
      framesPerSecond: z.number().min(1).max(120).default(15),
      bitsPerSecond: z.int().min(100_000).max(50_000_000).default(2_000_000),
      /** Key frame interval. The pre-roll needs a key frame inside its window. */
      groupOfPictures: milliseconds.min(100).max(60_000).default(1_000),
    })
    .prefault({}),
  recording: z
    .strictObject({
      preRoll: milliseconds.max(60_000).default(5_000),
      postRoll: milliseconds.max(60_000).default(5_000),
      clipMax: milliseconds.min(2_000).default(120_000),
      /** A segment ends at the first key frame after this. */
      segmentMin: milliseconds.min(200).max(10_000).default(1_000),
      ringBytesMax: z
        .int()
        .min(1 * MiB)
        .default(32 * MiB),
      /** How long segments wait for the verdict of recognition before they are released anyway. */
      verdictWithin: milliseconds.max(5_000).default(5_000),
    })
    .prefault({}),
  /** "floor" hides what moved behind a common size; "economy" (Padme) saves bytes and says more. */
  padding: z.enum(["floor", "economy"]).default("floor"),
  spool: z
    .strictObject({
      bytesMax: z
        .int()
        .min(256 * KiB)
        .default(512 * MiB),
      whenFull: z.enum(["drop-oldest", "refuse-newest"]).default("drop-oldest"),
      /** How many bytes of received payloads to keep for an owner's `resend`; they leave first when space is needed. */
      keepReceivedBytes: z
        .int()
        .min(0)
        .default(64 * MiB),
    })
    .prefault({}),
  link: z
    .strictObject({
      heartbeatEvery: milliseconds.min(1_000).default(30_000),
      keepAlive: milliseconds.min(5_000).default(60_000),
      connectWithin: milliseconds.min(100).default(30_000),
      /** The ceiling of the exponential back-off doubles from the one to the other; each wait is a tenth to the whole of it. */
      retryFirst: milliseconds.min(10).default(1_000),
      retryMax: milliseconds.min(10).default(60_000),
      /** A connection that lived this long was good: the back-off starts anew, though never at zero. */
      stableAfter: milliseconds.default(60_000),
      /** A chunk, manifest or receipt not answered within this is sent again. */
      resendAfter: milliseconds.min(100).default(15_000),
    })
    .prefault({}),
  /** GPIO numbers (BCM). */
  pins: z
    .strictObject({
      motion: z.int().min(0).max(27).default(17),
      bell: z.int().min(0).max(27).default(27),
      light: z.int().min(0).max(27).default(22),
    })
    .prefault({}),
})

export type CameraConfig = z.infer<typeof configShape>
/** What a person writes: anything left out has its default. */
export type CameraConfigInput = z.input<typeof configShape>

/** @throws Fault "usage", definite, naming the field. */
export function parseConfig(input: unknown = {}): CameraConfig {
  const result = configShape.safeParse(input)
  if (!result.success) {
    const issue = result.error.issues[0]
    throw new Fault(
      "usage",
      `configuration: ${issue?.path.join(".") || "value"}: ${issue?.message ?? "wrong"}`,
    )
  }
  const { motion, bell, light } = result.data.pins
  if (new Set([motion, bell, light]).size < 3)
    throw new Fault("usage", "configuration: pins: motion, bell and light need three different pins")
  if (result.data.link.retryFirst > result.data.link.retryMax)
    throw new Fault("usage", "configuration: link.retryFirst is longer than link.retryMax")
  return result.data
}
