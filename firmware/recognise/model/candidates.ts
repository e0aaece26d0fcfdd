import type { Box, Label } from "../../ports.ts"
import { type Edges, overlap } from "../edges.ts"
import type { Fit } from "./letterbox.ts"

/** A box as a model gives it, in pixels of its input. */
export interface Candidate extends Edges {
  readonly label: Label
  /** As of a box in `ports.ts`. */
  readonly thing?: true
  readonly score: number
}

/** Below this a box is noise; what counts above it is the caller's to say. */
export const SCORE_FLOOR = 0.1
const BOXES_MAX = 100

/**
 * Of candidates with one label that cover the same (intersection over union above `overlapMax`) the best stays. The others
 * as fractions of the picture, best first; equal scores stay in the model's order, so the same picture gives the same boxes.
 */
export function boxesOf(candidates: readonly Candidate[], fit: Fit, overlapMax: number): readonly Box[] {
  const kept: Candidate[] = []
  for (const candidate of [...candidates].sort((a, b) => b.score - a.score)) {
    if (kept.some((better) => isSameKind(better, candidate) && overlap(better, candidate) > overlapMax))
      continue
    kept.push(candidate)
    if (kept.length === BOXES_MAX) break
  }
  return kept.map((candidate) => inPicture(candidate, fit)).filter((box) => box !== null)
}

function isSameKind(a: Candidate, b: Candidate): boolean {
  return a.label === b.label && a.thing === b.thing
}

/** null: nothing of it is in the picture. */
function inPicture(
  { label, thing, score, ...edges }: Candidate,
  { left, top, width, height }: Fit,
): Box | null {
  const x = (value: number) => Math.min(1, Math.max(0, (value - left) / width))
  const y = (value: number) => Math.min(1, Math.max(0, (value - top) / height))
  const box = {
    ...{ label, score: Math.min(1, score), ...(thing && { thing }) },
    ...{ left: x(edges.left), top: y(edges.top), right: x(edges.right), bottom: y(edges.bottom) },
  }
  return box.left < box.right && box.top < box.bottom ? box : null
}
