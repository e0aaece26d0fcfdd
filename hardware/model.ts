import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { type Bytes, MiB } from "../firmware/units.ts"

/** What differs between the boards that obscura knows. */
export interface PiModel {
  /** As the device tree says it, such as "Raspberry Pi Zero 2 W Rev 1.0"; "unknown board" when it does not. */
  readonly name: string
  readonly kind: "zero-2-w" | "pi-3" | "pi-4" | "pi-5" | "other"
  /** The label of the GPIO chip behind the 40-pin header; its number changes between kernels. */
  readonly gpioChipLabel: string
  /** false: a Pi 5 encodes H.264 on its processor, and rpicam-vid wants to be told the container. */
  readonly hasHardwareEncoder: boolean
  readonly lensLimits: LensLimits
  /** Of the pre-roll ring: what the smallest board of the model can spare. It is memory that nothing gives back. */
  readonly ringBytesMax: Bytes
}

/** Beyond these the board runs out of camera memory (CMA) or encoder. */
export interface LensLimits {
  readonly pixelsMax: number
  readonly framesPerSecondMax: number
  /** Of both together: fewer pixels may come faster. */
  readonly pixelsPerSecondMax: number
  readonly bitsPerSecondMax: number
}

/** The H.264 encoder of the Pi 4 and before: level 4.1, so 1920 x 1080 at 30 frames a second. */
const VIDEOCORE: LensLimits = {
  pixelsMax: 1920 * 1080,
  framesPerSecondMax: 60,
  pixelsPerSecondMax: 1920 * 1080 * 30,
  bitsPerSecondMax: 25_000_000,
}
/** On its processor, which is fast enough for twice that. */
const SOFTWARE: LensLimits = { ...VIDEOCORE, pixelsPerSecondMax: 1920 * 1080 * 60 }
/** 512 MB for all: larger pictures end with "failed to allocate capture buffers". */
const ZERO_2_W: LensLimits = {
  pixelsMax: 1280 * 720,
  framesPerSecondMax: 30,
  pixelsPerSecondMax: 1280 * 720 * 30,
  bitsPerSecondMax: 10_000_000,
}

const MODELS: readonly (PiModel & { readonly pattern: RegExp })[] = [
  {
    pattern: /Raspberry Pi Zero 2/,
    name: "",
    kind: "zero-2-w",
    gpioChipLabel: "pinctrl-bcm2835",
    hasHardwareEncoder: true,
    lensLimits: ZERO_2_W,
    ringBytesMax: 64 * MiB,
  },
  {
    pattern: /Raspberry Pi (?:3|Compute Module 3)/,
    name: "",
    kind: "pi-3",
    gpioChipLabel: "pinctrl-bcm2835",
    hasHardwareEncoder: true,
    lensLimits: VIDEOCORE,
    ringBytesMax: 128 * MiB,
  },
  {
    pattern: /Raspberry Pi (?:4|Compute Module 4)/,
    name: "",
    kind: "pi-4",
    gpioChipLabel: "pinctrl-bcm2711",
    hasHardwareEncoder: true,
    lensLimits: VIDEOCORE,
    ringBytesMax: 128 * MiB,
  },
  {
    pattern: /Raspberry Pi (?:5|Compute Module 5)/,
    name: "",
    kind: "pi-5",
    gpioChipLabel: "pinctrl-rp1",
    hasHardwareEncoder: false,
    lensLimits: SOFTWARE,
    ringBytesMax: 256 * MiB,
  },
]

/**
 * Which board this is, by the device tree under `proc`. Any other board is "other": its GPIO chip has to be named in the
 * settings, and it is given the limits of a Pi 4.
 */
export async function readModel(proc = "/proc"): Promise<PiModel> {
  const text = await readFile(join(proc, "device-tree/model"), "utf8").catch(() => "")
  return modelNamed(text.replaceAll("\0", "").trim())
}

export function modelNamed(name: string): PiModel {
  const known = MODELS.find(({ pattern }) => pattern.test(name))
  if (!known)
    return {
      name: name || "unknown board",
      kind: "other",
      gpioChipLabel: "",
      hasHardwareEncoder: false,
      lensLimits: VIDEOCORE,
      ringBytesMax: 128 * MiB,
    }
  const { pattern: _, ...model } = known
  return { ...model, name }
}
