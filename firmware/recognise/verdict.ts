import type { Trigger } from "../clip.ts"
import type { Board, Label } from "../ports.ts"
import { vote } from "./vote.ts"

/** Is this event worth a clip, and what is it? */
export interface Verdict {
  readonly keep: boolean
  readonly label: Label | null
  /** "bell": somebody wants to be seen. "no model": without eyes, keep everything. "vote": the detector's frames agree. */
  readonly by: "bell" | "no model" | "vote" | "too late"
}

/**
 * Settles once; `signal` ends it as "too late", which keeps the clip. A camera without a model keeps all that moves:
 * the owner loses nothing but a little quiet.
 */
export async function judge(
  { frames, detector }: Pick<Board, "frames" | "detector">,
  trigger: Trigger,
  signal: AbortSignal,
): Promise<Verdict> {
  if (trigger.kind === "bell") return { keep: true, label: null, by: "bell" }
  if (!frames || !detector) return { keep: true, label: null, by: "no model" }
  const result = await vote(frames, detector, trigger.at, signal)
  return result === null ? { keep: true, label: null, by: "too late" } : { ...result, by: "vote" }
}
