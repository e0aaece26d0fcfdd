import { spawn, spawnSync } from "node:child_process"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { messageOf } from "../../firmware/errors.ts"
import { PICTURE_HEIGHT, PICTURE_WIDTH } from "../footage.ts"
import { NAL, nalSpans, nalType, START_CODE } from "../nals.ts"
import { FRAMES_PER_SECOND, SCENE_FRAMES, Scene, type Script, scripts } from "./scenes.ts"
import { boxesToCsv, eventsToCsv } from "./truth.ts"

/**
 * Draws scenes and encodes them with the system's ffmpeg (libx264):
 *
 *     node --import ./harness/typescript/register.js simulator/scene/encode.ts [--out DIR] [--png SECONDS] [NAME…]
 *
 * A camera's stream, not a film's: Baseline, a closed GOP of exactly 1 s, parameter sets before every key frame, no
 * B-frames, one slice a picture, a steady bit rate. `--png` writes that moment as a picture instead, to look at.
 */

const WIDTH = 1280
const HEIGHT = 720
const KILOBITS_PER_SECOND = 750

const RAW = [
  "-f",
  "rawvideo",
  "-pix_fmt",
  "yuv420p",
  "-s",
  `${WIDTH}x${HEIGHT}`,
  "-r",
  `${FRAMES_PER_SECOND}`,
]
const SAID = "colorprim=bt709:transfer=bt709:colormatrix=bt709:fullrange=off"
const X264 = [
  ...["-c:v", "libx264", "-profile:v", "baseline", "-preset", "slow", "-threads", "1"],
  ...["-b:v", `${KILOBITS_PER_SECOND}k`, "-maxrate", `${KILOBITS_PER_SECOND * 1.1}k`],
  ...["-bufsize", `${KILOBITS_PER_SECOND}k`],
  "-x264-params",
  `keyint=${FRAMES_PER_SECOND}:min-keyint=${FRAMES_PER_SECOND}:scenecut=0:open-gop=0:repeat-headers=1:slices=1:${SAID}`,
]

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      out: { type: "string", default: join(import.meta.dirname, "footage") },
      png: { type: "string" },
    },
  })
  for (const name of positionals)
    if (!scripts.some((script) => script.name === name))
      throw new Error(`no scene "${name}"; there are ${scripts.map((script) => script.name).join(", ")}`)
  await mkdir(values.out, { recursive: true })
  for (const script of scripts) {
    if (positionals.length > 0 && !positionals.includes(script.name)) continue
    if (values.png === undefined) await writeFootage(script, values.out)
    else writePicture(script, Number(values.png), values.out)
  }
}

async function writeFootage(script: Script, folder: string): Promise<void> {
  const scene = new Scene(script)
  const encoded = await encode(scene)
  const { events, boxes } = scene.truth()
  const bytes = withoutSei(encoded)
  const path = join(folder, `${script.name}.h264`)
  await writeFile(path, bytes)
  await writeFile(join(folder, `${script.name}.luma`), smallPictures(path))
  await writeFile(join(folder, `${script.name}.events.csv`), eventsToCsv(events))
  await writeFile(join(folder, `${script.name}.boxes.csv`), boxesToCsv(boxes))
  console.log(`${script.name}: ${SCENE_FRAMES} frames, ${bytes.length} bytes, ${boxes.length} boxes`)
}

async function encode(scene: Scene): Promise<Uint8Array> {
  const ffmpeg = spawn("ffmpeg", ["-v", "error", ...RAW, "-i", "-", ...X264, "-f", "h264", "-"], {
    stdio: ["pipe", "pipe", "inherit"],
  })
  const ended = new Promise<void>((resolve, reject) => {
    ffmpeg.once("error", (cause) => reject(new Error("ffmpeg does not start; is it installed?", { cause })))
    ffmpeg.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`ffmpeg ended with ${code}`))))
  })
  const drawn = (async () => {
    for (let index = 0; index < SCENE_FRAMES; index++)
      if (!ffmpeg.stdin.write(scene.frame(index)))
        await Promise.race([ended, new Promise((resolve) => ffmpeg.stdin.once("drain", resolve))])
    ffmpeg.stdin.end()
  })()
  const parts: Uint8Array[] = []
  ffmpeg.stdout.on("data", (part: Uint8Array) => parts.push(part))
  await Promise.all([drawn, ended])
  return Buffer.concat(parts)
}

/** x264 writes its version and settings into the stream; nobody needs them, and a camera adds SEI of its own. */
function withoutSei(bytes: Uint8Array): Uint8Array {
  const kept = nalSpans(bytes)
    .map(({ begin, end }) => bytes.subarray(begin, end))
    .filter((nal) => nalType(nal) !== NAL.sei)
  return Buffer.concat(kept.flatMap((nal) => [START_CODE, nal]))
}

/** Of the encoded key frames, so with all that encoding does to them: `picturesOf` of `footage.ts` reads them. */
function smallPictures(path: string): Uint8Array {
  const small = `scale=${PICTURE_WIDTH}:${PICTURE_HEIGHT}:flags=area`
  const { status, stdout } = spawnSync(
    "ffmpeg",
    [
      ...["-v", "error", "-skip_frame", "nokey", "-framerate", `${FRAMES_PER_SECOND}`, "-i", path],
      ...["-fps_mode", "passthrough", "-vf", small, "-pix_fmt", "gray", "-f", "rawvideo", "-"],
    ],
    { maxBuffer: 2 ** 24 },
  )
  if (status !== 0) throw new Error(`ffmpeg ended with ${status}`)
  return stdout
}

function writePicture(script: Script, time: number, folder: string): void {
  const input = new Scene(script).frame(Math.round(time * FRAMES_PER_SECOND) % SCENE_FRAMES)
  const path = join(folder, `${script.name}-${time}s.png`)
  const matrix = "scale=in_color_matrix=bt709:in_range=tv"
  const { status } = spawnSync(
    "ffmpeg",
    ["-v", "error", "-y", ...RAW, "-i", "-", "-vf", matrix, "-frames:v", "1", path],
    { input, stdio: ["pipe", "inherit", "inherit"] },
  )
  if (status !== 0) throw new Error(`ffmpeg ended with ${status}`)
  console.log(path)
}

try {
  await main()
} catch (error) {
  console.error(messageOf(error))
  process.exitCode = 2
}
