import { Fault } from "../../firmware/errors.ts"
import { type Footage, unitsOf } from "../../simulator/footage.ts"
import { START_CODE } from "../../simulator/nals.ts"
import type { Difference, SeenFootage, SeenPicture } from "../../simulator/seen.ts"
import { openRealDecoder, openRealDetector } from "../recognise/real-detector.ts"

/**
 * Shows every key frame of some footages to a real model, once.
 * @throws Fault as `openRealDetector` and `openRealDecoder`: no model, or nothing to decode with.
 */
export async function lookThrough(
  footages: readonly Footage[],
  model: string,
  signal: AbortSignal,
): Promise<SeenFootage> {
  const detector = await openRealDetector({ model })
  try {
    const decoder = await openRealDecoder()
    try {
      const seen: Record<string, readonly SeenPicture[]> = {}
      for (const { name, groups } of footages) {
        const pictures: SeenPicture[] = []
        for (const group of groups) {
          const nals = unitsOf(group)[0]?.nals ?? []
          const keyFrame = Buffer.concat(nals.flatMap((nal) => [START_CODE, nal]))
          const frame = await decoder.decode(keyFrame, 0, signal)
          pictures.push({ time: group.start / 90_000, boxes: await detector.detect(frame, signal) })
          if (signal.aborted) throw new Fault("unavailable", "stopped")
        }
        seen[name] = pictures
      }
      return seen
    } finally {
      await decoder.close()
    }
  } finally {
    await detector.close()
  }
}

/** As a table: scene, seconds, what is there, what the model says. */
export function differencesCsv(all: readonly Difference[]): string {
  const rows = all.map(({ scene, time, truth, model }) => [scene, time.toFixed(3), said(truth), said(model)])
  return [["scene", "time", "truth", "model"], ...rows].map((row) => `${row.join(",")}\n`).join("")
}

/** In one line each. */
export function differenceLine({ scene, time, truth, model }: Difference): string {
  return `${scene} at ${time.toFixed(0)} s: ${said(truth)} there, and the model says ${said(model)}`
}

const said = (labels: readonly string[]): string => (labels.length === 0 ? "nobody" : labels.join(" and "))
