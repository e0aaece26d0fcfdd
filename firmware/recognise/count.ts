import type { Box, Label } from "../ports.ts"
import { contains } from "./polygon.ts"
import type { RecogniseSettings } from "./settings.ts"

/** By label, the best score among the boxes of one frame; 0: none. */
export type Scores = Readonly<Record<Label, number>>

export const LABELS: readonly Label[] = ["person", "animal", "vehicle"]
export const NOBODY: Scores = { person: 0, animal: 0, vehicle: 0 }

/** The boxes that count here: of a wanted label, and standing in a zone where there are any. No things, and not yet by score. */
export function inPlace(boxes: readonly Box[], { labels, zones }: RecogniseSettings): readonly Box[] {
  return boxes.filter((box) => {
    if (box.thing || !labels.includes(box.label)) return false
    if (zones.length === 0) return true
    const [x, y] = [(box.left + box.right) / 2, box.bottom]
    return zones.some(
      (zone) =>
        (zone.labels?.includes(box.label) ?? true) && contains(zone.corners, x, Math.min(y, 1 - EDGE)),
    )
  })
}

/** A box that ends with the picture stands just inside it. */
const EDGE = 1e-6

export function scoresOf(boxes: readonly Box[]): Scores {
  const best = { ...NOBODY }
  for (const { label, score } of boxes) best[label] = Math.max(best[label], score)
  return best
}

/** Does any label reach its score? */
export function shows(scores: Scores, { minScore }: RecogniseSettings): boolean {
  return LABELS.some((label) => scores[label] >= minScore[label])
}

/** Is this what a detector may say? `null`: yes; else what is wrong, quoting no more than numbers. */
export function boxesFlaw(boxes: unknown): string | null {
  if (!Array.isArray(boxes)) return "it gave no list of boxes"
  if (boxes.length > BOXES_MAX) return `it gave ${boxes.length} boxes in one picture`
  for (const box of boxes) {
    if (!isBox(box)) return "it gave a box that lies outside the picture, has no area or no known label"
  }
  return null
}

const BOXES_MAX = 10_000

function isBox(box: unknown): box is Box {
  if (typeof box !== "object" || box === null) return false
  const { label, score, left, top, right, bottom } = box as Partial<Box>
  return (
    LABELS.some((known) => known === label) &&
    isFraction(score) &&
    isFraction(left) &&
    isFraction(top) &&
    isFraction(right) &&
    isFraction(bottom) &&
    left < right &&
    top < bottom
  )
}

function isFraction(value: number | undefined): value is number {
  return typeof value === "number" && value >= 0 && value <= 1
}
