import type { CameraConfig } from "../../firmware/config.ts"
import { Fault } from "../../firmware/errors.ts"
import type { PiModel } from "../model.ts"
import type { LensSettings } from "../settings.ts"
import { ask } from "./process.ts"

/** An rpicam-vid and the long options that it knows, without their dashes. */
export interface RpicamVid {
  readonly path: string
  readonly knows: ReadonlySet<string>
}

/** @throws Fault "unavailable", definite: it is there, but does not run. */
export async function probeRpicamVid(path: string, env: NodeJS.ProcessEnv): Promise<RpicamVid> {
  return { path, knows: optionsIn(await ask(path, ["--help"], env)) }
}

/** Of lines such as `  -t [ --timeout ] arg (=5sec)  Time for which…` and `  --low-latency [=arg(=1)] (=0)  Enables…`. */
export function optionsIn(help: string): ReadonlySet<string> {
  return new Set(
    Array.from(help.matchAll(/^ {0,4}(?:-\S \[ )?--([a-z0-9][a-z0-9-]*)/gm), ([, name = ""]) => name),
  )
}

/** For the motion detection of rpicam-vid: small enough to compare on any board. */
const LORES_WIDTH = 128
const LORES_HEIGHT = 96

/** Macroblocks a second that H.264 level 4 allows (ISO/IEC 14496-10 table A-1), which is rpicam-vid's default. */
const LEVEL_4_MACROBLOCKS = 245_760

export interface VideoRun {
  readonly config: CameraConfig["lens"]
  readonly settings: LensSettings
  readonly model: PiModel
  /** A post-processing file (`motion-detection.ts`); null: it does not look for motion. */
  readonly postProcessFile: string | null
  /** Where each picture's time goes; null: nowhere. */
  readonly timestampsFile: string | null
}

/**
 * The argv of one run, each flag and each value its own: H.264 Annex B on standard output until it is stopped, with
 * parameter sets before each key frame. What this rpicam-vid does not know and video does without is left out.
 */
export function videoArguments({ knows }: RpicamVid, run: VideoRun): string[] {
  const { width, height, framesPerSecond, bitsPerSecond, groupOfPictures } = run.config
  const intra = Math.max(1, Math.round((groupOfPictures / 1_000) * framesPerSecond))
  const macroblocks = Math.ceil(width / 16) * Math.ceil(height / 16) * framesPerSecond
  const optional = (name: string, ...values: (string | number)[]) =>
    knows.has(name) ? [`--${name}`, ...values.map(String)] : []
  return [
    ...common(run.settings),
    ...["--codec", "h264", "--inline"],
    ...optional("flush"),
    // For boards that encode on their processor; the others do not mind.
    ...optional("libav-format", "h264"),
    ...optional("low-latency"),
    ...["--width", `${width}`, "--height", `${height}`, "--framerate", `${framesPerSecond}`],
    ...["--intra", `${intra}`, "--bitrate", `${bitsPerSecond}`],
    ...(run.model.hasHardwareEncoder && macroblocks > LEVEL_4_MACROBLOCKS ? ["--level", "4.2"] : []),
    ...(run.postProcessFile === null
      ? []
      : [
          ...["--lores-width", `${LORES_WIDTH}`, "--lores-height", `${LORES_HEIGHT}`],
          ...["--post-process-file", run.postProcessFile],
        ]),
    ...(run.timestampsFile === null ? [] : ["--save-pts", run.timestampsFile]),
    ...["--output", "-"],
  ]
}

/** The argv of a run that gives uncompressed pictures, YUV 4:2:0 planar, one after another. */
export function pictureArguments(
  settings: LensSettings,
  picture: { readonly width: number; readonly height: number; readonly framesPerSecond: number },
): string[] {
  const { width, height, framesPerSecond } = picture
  return [
    ...common(settings),
    ...["--codec", "yuv420", "--width", `${width}`, "--height", `${height}`],
    ...["--framerate", `${framesPerSecond}`, "--output", "-"],
  ]
}

function common({ camera, rotationDegrees, mode }: LensSettings): string[] {
  return [
    ...["--nopreview", "--timeout", "0", "--camera", `${camera}`],
    ...(rotationDegrees === 0 ? [] : ["--rotation", `${rotationDegrees}`]),
    // Without an infrared-cut filter colours mean nothing.
    ...(mode === "night" ? ["--exposure", "long", "--saturation", "0"] : []),
  ]
}

/**
 * rpicam-vid says when each picture was taken where the board's own encoder makes them. Encoding on the processor
 * (libav) it refuses `--save-pts` together with standard output.
 */
export function givesTimestamps({ knows }: RpicamVid, model: PiModel): boolean {
  return model.hasHardwareEncoder && knows.has("save-pts")
}

/** Debian's package with an rpicam-vid for this board: the smaller one has no encoder for boards without one of their own. */
export function packageFor(model: PiModel): string {
  return model.hasHardwareEncoder ? "rpicam-apps-lite" : "rpicam-apps"
}

/** @throws Fault "unavailable", definite: this rpicam-vid was built without what this board or these settings need. */
export function refuseTooLittle({ path, knows }: RpicamVid, model: PiModel, settings: LensSettings): void {
  if (!model.hasHardwareEncoder && !knows.has("libav-format"))
    throw new Fault(
      "unavailable",
      `${path} cannot encode on this board (${model.name}): \`sudo apt install rpicam-apps\` puts one that can in its place`,
    )
  if (settings.motionDetection && !knows.has("post-process-file"))
    throw new Fault(
      "unavailable",
      `${path} cannot look for motion: update ${packageFor(model)}, or set lens.motionDetection to false`,
    )
}
