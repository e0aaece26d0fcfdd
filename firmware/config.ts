import { z } from "zod"
import { Fault } from "./errors.ts"
import { recogniseShape } from "./recognise/settings.ts"
import { KiB, MiB } from "./units.ts"

/**
 * What may differ between two cameras of one firmware. Every field has a default; an unknown field is an error.
 * There is nothing here that could turn sealing, padding, signatures or the light off.
 */

const milliseconds = z.number().min(0).max(3_600_000)
const pinNumber = z.int().min(0).max(27)

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
      /** Long exposures, and the infrared-cut filter out of the way. */
      night: z.boolean().default(false),
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
  /** What is worth a clip: thresholds, zones and privacy masks. */
  recognise: recogniseShape,
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
  motion: z
    .strictObject({
      /** A PIR says anything while it warms up (HC-SR501: about 60 s): its edges are not heard until then. */
      warmUp: milliseconds.default(0),
    })
    .prefault({}),
  /** GPIO numbers (BCM). */
  pins: z
    .strictObject({
      motion: pinNumber.default(17),
      bell: pinNumber.default(27),
      /** A button inside the case, by which the camera is given away. Absent: the bell does that. */
      reset: pinNumber.optional(),
      /** The recording light. */
      light: pinNumber.default(22),
      /** Shows by its blinking what the camera is doing. Absent: no such light. */
      status: pinNumber.optional(),
      /** High takes the infrared-cut filter out of the way, for the night. Absent: no such filter. */
      infraredCut: pinNumber.optional(),
      /** A servo that closes the eye. Absent: no shutter. */
      shutter: pinNumber.optional(),
    })
    .prefault({}),
  /** The servo's two ends. */
  shutter: z
    .strictObject({
      openDegrees: z.number().min(0).max(180).default(0),
      closedDegrees: z.number().min(0).max(180).default(90),
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
  refusePins(result.data.pins)
  if (result.data.link.retryFirst > result.data.link.retryMax)
    throw new Fault("usage", "configuration: link.retryFirst is longer than link.retryMax")
  return result.data
}

/** Where a Pi has hardware PWM, which a servo needs. */
export const PWM_PINS: readonly number[] = [12, 13, 18, 19]

function refusePins(pins: CameraConfig["pins"]): void {
  const users = new Map<number, string>()
  for (const [user, pin] of Object.entries(pins)) {
    if (pin === undefined) continue
    const other = users.get(pin)
    if (other !== undefined)
      throw new Fault(
        "usage",
        `configuration: pins: ${other} and ${user} are both GPIO ${pin}; give each its own`,
      )
    users.set(pin, user)
  }
  if (pins.shutter !== undefined && !PWM_PINS.includes(pins.shutter))
    throw new Fault(
      "usage",
      `configuration: pins.shutter: GPIO ${pins.shutter} cannot move a servo; ${PWM_PINS.join(", ")} can`,
    )
}
