import type { SeenBox } from "../result.ts"

/**
 * Boxes over a picture, as an SVG that is stretched over it; faint are those that did not count. Lines keep their width,
 * and words are HTML, for those must not be stretched.
 */
export function boxesOver(boxes: readonly SeenBox[]): string {
  const shown = boxes.filter(isWorthDrawing)
  if (shown.length === 0) return ""
  const frames = shown.map(
    ({ label, counts, thing, left, top, right, bottom }) =>
      `<rect class="${thing ? "thing" : label}${counts ? "" : " faint"}" x="${left.toFixed(4)}" y="${top.toFixed(4)}" width="${(right - left).toFixed(4)}" height="${(bottom - top).toFixed(4)}"/>`,
  )
  const words = shown
    .filter(({ counts }) => counts)
    .map(
      ({ label, score, left, top }) =>
        `<span class="tag ${label}" style="left:${percent(left)};top:${percent(top)}">${label} ${Math.round(score * 100)}</span>`,
    )
  return `<svg class="boxes" viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">${frames.join("")}</svg>${words.join("")}`
}

/** Below that a detector guesses at everything. */
const FAINT_FROM = 0.2

const isWorthDrawing = ({ counts, score }: SeenBox): boolean => counts || score >= FAINT_FROM
const percent = (share: number): string => `${(share * 100).toFixed(1)}%`
