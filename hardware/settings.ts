import { readFile } from "node:fs/promises"
import { z } from "zod"
import { type CameraConfig, parseConfig } from "../firmware/config.ts"
import { Fault, messageOf } from "../firmware/errors.ts"
import { type Milliseconds, minutes } from "../firmware/units.ts"
import type { LensLimits, PiModel } from "./model.ts"

/**
 * What one Pi is told, in /etc/obscura/camera.json. Every field has a default; an unknown field is an error. There is no
 * secret in it: the camera makes its key itself, and learns of its owner and broker's key by pairing.
 */

const shape = z.strictObject({
  /** mqtts://host[:8883]. Absent: the camera records and keeps, and says that it has nobody to give it to. */
  broker: z.string().optional(),
  /** The firmware's own configuration (`firmware/config.ts`). */
  camera: z.looseObject({}).default({}),
  lens: z
    .strictObject({
      /** "auto": rpicam-vid when it is there, else the raspicam package where raspivid is. */
      use: z.enum(["auto", "rpicam-vid", "raspicam"]).default("auto"),
      rotationDegrees: z.literal([0, 180]).default(0),
      /** Which of several cameras; as `rpicam-hello --list-cameras` counts. */
      camera: z.int().min(0).max(3).default(0),
      /** Let rpicam-vid look for motion as well (needs its OpenCV post-processing). Its stock threshold fires on wind. */
      motionDetection: z.boolean().default(false),
    })
    .prefault({}),
  recognition: z
    .strictObject({
      /** An installed model's name, or the path of an ONNX file. Absent: yolox-nano, or the only one installed. */
      model: z.string().min(1).optional(),
      /** "auto": onnxruntime-node where it is installed beside the program, else onnxruntime-web, which ships with it. */
      runtime: z.enum(["auto", "onnxruntime-web", "onnxruntime-node"]).default("auto"),
    })
    .prefault({}),
  gpio: z
    .strictObject({
      /** The chip's label, for a board that obscura does not know. Absent: by the board's model. */
      chipLabel: z.string().min(1).optional(),
    })
    .prefault({}),
})

export interface Settings {
  readonly broker?: string | undefined
  readonly camera: CameraConfig
  readonly lens: LensSettings
  readonly recognition: z.infer<typeof shape>["recognition"]
  readonly gpio: { readonly chipLabel?: string | undefined }
}

export type LensSettings = z.infer<typeof shape>["lens"] & {
  /** As the camera's `lens.night` says. */
  readonly mode: "day" | "night"
}

/** What differs from the firmware's defaults on a board with a PIR: it warms up for about a minute (HC-SR501). */
const WARM_UP: Milliseconds = minutes(1)

/** @throws Fault "usage", definite, naming file and field; also for what this model of Pi cannot do. */
export async function readSettings(file: string, model: PiModel): Promise<Settings> {
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return "{}"
    throw new Fault("usage", `${file}: cannot be read (${messageOf(cause)})`, { cause })
  })
  try {
    return parseSettings(JSON.parse(text), model)
  } catch (cause) {
    throw new Fault("usage", `${file}: ${messageOf(cause)}`, { cause })
  }
}

/** @throws Fault "usage", definite, naming the field. */
export function parseSettings(input: unknown, model: PiModel): Settings {
  const result = shape.safeParse(input)
  if (!result.success) {
    const issue = result.error.issues[0]
    throw new Fault("usage", `${issue?.path.join(".") || "settings"}: ${issue?.message ?? "wrong"}`)
  }
  const { broker, lens, recognition, gpio } = result.data
  const camera = parseConfig({
    ...result.data.camera,
    motion: { warmUp: WARM_UP, ...motionOf(result.data.camera) },
  })
  refuseBeyond(camera.lens, model.lensLimits, model.name)
  const { ringBytesMax } = camera.recording
  if (ringBytesMax > model.ringBytesMax)
    throw new Fault(
      "usage",
      `camera.recording.ringBytesMax: ${ringBytesMax} bytes are more than a ${model.name} can spare; at most ${model.ringBytesMax}`,
    )
  return { broker, camera, lens: { ...lens, mode: camera.lens.night ? "night" : "day" }, recognition, gpio }
}

/**
 * Which GPIO chip to use, by its label.
 * @throws Fault "usage", definite: no such board is known, and the settings in `file` do not say.
 */
export function chipLabelFor({ gpio }: Pick<Settings, "gpio">, model: PiModel, file: string): string {
  const label = gpio.chipLabel ?? model.gpioChipLabel
  if (label === "")
    throw new Fault(
      "usage",
      `${file}: gpio.chipLabel: obscura does not know the pins of this board (${model.name}); gpiodetect lists its chips in [brackets]`,
    )
  return label
}

/** The same, for a motion sensor that has had power for so long already: it is warm that much sooner. */
export function warmedUp(camera: CameraConfig, poweredFor: Milliseconds): CameraConfig {
  return { ...camera, motion: { ...camera.motion, warmUp: Math.max(0, camera.motion.warmUp - poweredFor) } }
}

function motionOf(camera: Readonly<Record<string, unknown>>): object {
  const { motion } = camera
  return typeof motion === "object" && motion !== null ? motion : {}
}

function refuseBeyond(lens: CameraConfig["lens"], limits: LensLimits, board: string): void {
  const { width, height, framesPerSecond, bitsPerSecond } = lens
  const refuse = (what: string, most: string) => {
    throw new Fault("usage", `camera.lens: ${what} is more than a ${board} can; at most ${most}`)
  }
  if (width % 2 !== 0 || height % 2 !== 0)
    throw new Fault("usage", `camera.lens: ${width} x ${height}: width and height have to be even`)
  if (width * height > limits.pixelsMax)
    refuse(`${width} x ${height}`, `${limits.pixelsMax} pixels, such as ${sixteenToNine(limits.pixelsMax)}`)
  if (framesPerSecond > limits.framesPerSecondMax)
    refuse(`${framesPerSecond} frames a second`, `${limits.framesPerSecondMax}`)
  const framesPerSecondMax = Math.floor(limits.pixelsPerSecondMax / (width * height))
  if (framesPerSecond > framesPerSecondMax)
    refuse(`${width} x ${height} at ${framesPerSecond} frames a second`, `${framesPerSecondMax} of that size`)
  if (bitsPerSecond > limits.bitsPerSecondMax) refuse(`${bitsPerSecond} bit/s`, `${limits.bitsPerSecondMax}`)
}

function sixteenToNine(pixels: number): string {
  const height = Math.floor(Math.sqrt((pixels * 9) / 16) / 2) * 2
  return `${Math.round((height * 16) / 9)} x ${height}`
}
