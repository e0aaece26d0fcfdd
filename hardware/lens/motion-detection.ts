import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { openRectangle } from "../../firmware/recognise/open-rectangle.ts"
import type { Polygon } from "../../firmware/recognise/polygon.ts"
import type { Milliseconds } from "../../firmware/units.ts"

/**
 * rpicam-vid's own motion detection, a stage between camera and encoder: it compares every fifth low-resolution picture
 * with the one before. Four times the stock threshold, which fires on wind; still a hint and no judge.
 */
const STAGE = {
  motion_detect: {
    difference_m: 0.1,
    difference_c: 10,
    region_threshold: 0.02,
    frame_period: 5,
    hskip: 1,
    vskip: 1,
    verbose: 1,
  },
}

/**
 * Writes what rpicam-vid reads with `--post-process-file`, to look at the largest rectangle without a privacy mask.
 * Returns the path. @throws Fault "unavailable", definite; "usage" where all is masked.
 */
export async function writeMotionDetection(
  runtimeDirectory: string,
  masks: readonly Polygon[] = [],
): Promise<string> {
  const place = openRectangle(masks)
  if (place === null)
    throw new Fault("usage", "recognise.masks cover the whole picture: set lens.motionDetection to false")
  const { left, top, width, height } = place
  const stage = {
    motion_detect: { ...STAGE.motion_detect, roi_x: left, roi_y: top, roi_width: width, roi_height: height },
  }
  const path = join(runtimeDirectory, "motion-detection.json")
  try {
    await mkdir(runtimeDirectory, { recursive: true })
    await writeFile(path, `${JSON.stringify(stage, null, 2)}\n`, { mode: 0o600 })
  } catch (cause) {
    throw new Fault("unavailable", `${path} cannot be written: ${messageOf(cause)}`, { cause })
  }
  return path
}

type OnEdge = (moving: boolean, at: Milliseconds) => void

/** Lines of rpicam-vid to edges, true and false in turn. */
export class MotionLines {
  readonly #listeners = new Set<OnEdge>()
  #moving = false

  /** The returned function stops. */
  watch(onEdge: OnEdge): () => void {
    // Anew for each caller, who may hand over the same function twice.
    const listener: OnEdge = (moving, at) => onEdge(moving, at)
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  hear(line: string, at: Milliseconds): void {
    if (/^Motion detected\b/.test(line)) this.#tell(true, at)
    else if (/^Motion stopped\b/.test(line)) this.#tell(false, at)
  }

  /** Nobody looks any more. */
  end(at: Milliseconds): void {
    this.#tell(false, at)
  }

  #tell(moving: boolean, at: Milliseconds): void {
    if (moving === this.#moving) return
    this.#moving = moving
    for (const listener of this.#listeners) listener(moving, at)
  }
}
