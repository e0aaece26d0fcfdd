import type { Detector, Frames, Label } from "../ports.ts"
import type { Milliseconds } from "../units.ts"

const FRAMES = 3
const ENOUGH = 2

/**
 * One frame is an opinion; two of three are a verdict. Stops as soon as the outcome is certain.
 * null: `signal` aborted before that.
 */
export async function vote(
  frames: Frames,
  detector: Detector,
  from: Milliseconds,
  signal: AbortSignal,
): Promise<{ keep: boolean; label: Label | null } | null> {
  const seen = new Map<Label, number>()
  let looked = 0
  let empty = 0
  for await (const frame of frames.frames(signal)) {
    if (frame.at < from) continue
    const best = (await detector.detect(frame))[0]
    if (signal.aborted) return null
    looked++
    if (!best) empty++
    else seen.set(best.label, (seen.get(best.label) ?? 0) + 1)
    if (looked - empty >= ENOUGH) return { keep: true, label: mostSeen(seen) }
    if (empty >= ENOUGH) return { keep: false, label: null }
    if (looked === FRAMES) break
  }
  return null
}

function mostSeen(seen: ReadonlyMap<Label, number>): Label | null {
  const [best] = [...seen].sort(([, a], [, b]) => b - a)
  return best?.[0] ?? null
}
