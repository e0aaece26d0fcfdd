import type { Judgement } from "./evidence.ts"
import type { CamerasFinished } from "./messages.ts"
import type { WorstCamera } from "./report.ts"

const WORST_MAX = 20
const COMPLAINTS_MAX = 5

/** The cameras of a run that fared worst. */
export function worstOf(results: readonly CamerasFinished[], { lostOf }: Judgement): WorstCamera[] {
  const cameras = results.flatMap((result) => result.cameras)
  return worstFirst(
    cameras.map((camera) => ({
      camera: camera.index,
      up: camera.connected && camera.settled && camera.fault === null,
      connects: camera.connects,
      clips: camera.clips.filter(({ outcome }) => outcome === "recorded").length,
      lost: lostOf.get(camera.index) ?? 0,
      dropped: camera.dropped.reduce((total, { from, to }) => total + to - from + 1, 0),
      p95Ms: camera.receiptP95Ms === null ? null : Number(camera.receiptP95Ms.toFixed(1)),
      complaints: [...(camera.fault === null ? [] : [camera.fault]), ...camera.complaints].slice(
        0,
        COMPLAINTS_MAX,
      ),
    })),
  )
}

/** Lost clips first, then who was not up at the end, then who was slow; at most 20. */
export function worstFirst(cameras: readonly WorstCamera[]): WorstCamera[] {
  return [...cameras]
    .sort(
      (a, b) =>
        b.lost - a.lost ||
        Number(a.up) - Number(b.up) ||
        b.dropped - a.dropped ||
        (b.p95Ms ?? 0) - (a.p95Ms ?? 0) ||
        a.camera - b.camera,
    )
    .slice(0, WORST_MAX)
}
