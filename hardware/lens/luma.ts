import { Fault } from "../../firmware/errors.ts"
import type { Frame } from "../../firmware/ports.ts"
import type { Bytes, FramesPerSecond } from "../../firmware/units.ts"
import { Complaints } from "./advice.ts"
import { findRpicamVid, type LensChoice } from "./choose.ts"
import { startHelper } from "./process.ts"
import { packageFor, pictureArguments } from "./rpicam-options.ts"
import { streamOf } from "./stream.ts"

/** Enough for a text of 200 letters as a QR code; its rows have no padding on any board. */
const PICTURE = { width: 640, height: 480, framesPerSecond: 4 as FramesPerSecond }
const LUMA_BYTES: Bytes = PICTURE.width * PICTURE.height
/** 4:2:0: two planes of chroma, a quarter of the size each, after the luma. */
const PICTURE_BYTES: Bytes = LUMA_BYTES * 1.5

/**
 * What the camera sees, in grey, 640 x 480 about four times a second, in memory alone: for finding a text before the
 * lens. There is one frame's memory: a frame is good until the next is asked for, and wiped after the last. The camera
 * has stopped when the iteration is over; it ends when `signal` aborts.
 *
 * @throws Fault "unavailable": there is no rpicam-vid, or the camera gives nothing.
 */
export async function* lumaFrames(choice: LensChoice, signal: AbortSignal): AsyncGenerator<Frame> {
  const { settings, clock, log, env } = choice
  const vid = await findRpicamVid(env)
  if (!vid)
    throw new Fault(
      "unavailable",
      `the camera reads a setup text by rpicam-vid, which is not on the PATH: \`sudo apt install ${packageFor(choice.model)}\`, or give the text to \`obscura-camera pair --setup -\``,
    )
  if (signal.aborted) return
  const complaints = new Complaints((reason) => log.write({ event: "lens warning", reason }))
  const onLine = (line: string) => complaints.hear(line)
  const helper = startHelper(vid.path, pictureArguments(settings, PICTURE), { env, clock, onLine })
  const luma = new Uint8Array(LUMA_BYTES)
  let filled: Bytes = 0
  try {
    for await (const { bytes, at } of streamOf(
      { name: "rpicam-vid", helper, complaints, clock, log },
      signal,
    )) {
      for (let from = 0; from < bytes.length; ) {
        const to = Math.min(bytes.length, from + PICTURE_BYTES - filled)
        if (filled < LUMA_BYTES)
          luma.set(bytes.subarray(from, Math.min(to, from + LUMA_BYTES - filled)), filled)
        filled += to - from
        from = to
        if (filled < PICTURE_BYTES) continue
        filled = 0
        yield { at, width: PICTURE.width, height: PICTURE.height, luma }
      }
      bytes.fill(0)
    }
  } finally {
    luma.fill(0)
  }
}
