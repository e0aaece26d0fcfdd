import { type Candidate, SCORE_FLOOR } from "./candidates.ts"
import { COCO_CLASSES, kindOf } from "./coco.ts"
import type { InputSize, Preparation } from "./letterbox.ts"

/**
 * YOLOX (Megvii, 2021): for each cell of each grid one row of
 *
 *   centre x · centre y · log width · log height · is it an object · 80 scores of classes
 *
 * in units of the grid's stride, scores from 0 to 1. Grids of strides 8, 16 and 32 one after another, row by row.
 */

export const YOLOX_PREPARATION: Preparation = {
  ...{ place: "top left", padding: 114, mean: [0, 0, 0], deviation: [1, 1, 1] },
}
/** As YOLOX's own demonstration has it. */
export const YOLOX_OVERLAP_MAX = 0.45

export const YOLOX_STRIDES = [8, 16, 32]
export const YOLOX_ROW = 5 + COCO_CLASSES

/** How many cells the grids have together; an input whose sides are multiples of 32 has whole ones. */
export function yoloxCells({ width, height }: InputSize): number {
  return YOLOX_STRIDES.reduce((sum, stride) => sum + (width / stride) * (height / stride), 0)
}

/** Exported with `--decode_in_inference` it gives pixels instead: then its centres are all over the input, even of nothing. */
export function yoloxGivesPixels(output: Float32Array, { width }: InputSize): boolean {
  let farthest = 0
  for (let at = 0; at < output.length; at += YOLOX_ROW) farthest = Math.max(farthest, output[at] ?? 0)
  return farthest > width / 2
}

export function yoloxCandidates(output: Float32Array, input: InputSize, inPixels: boolean): Candidate[] {
  const candidates: Candidate[] = []
  let at = 0
  for (const stride of YOLOX_STRIDES) {
    const columns = input.width / stride
    const rows = input.height / stride
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++, at += YOLOX_ROW) {
        const object = output[at + 4] ?? 0
        // Also no NaN.
        if (!(object >= SCORE_FLOOR)) continue
        const { best, score } = bestClass(output, at + 5)
        const kind = kindOf(best)
        if (kind === null || !(object * score >= SCORE_FLOOR)) continue
        const [x = 0, y = 0, width = 0, height = 0] = output.subarray(at, at + 4)
        const centreX = inPixels ? x : (x + column) * stride
        const centreY = inPixels ? y : (y + row) * stride
        const halfWidth = (inPixels ? width : Math.exp(width) * stride) / 2
        const halfHeight = (inPixels ? height : Math.exp(height) * stride) / 2
        candidates.push({
          ...{ ...kind, score: object * score },
          ...{ left: centreX - halfWidth, top: centreY - halfHeight },
          ...{ right: centreX + halfWidth, bottom: centreY + halfHeight },
        })
      }
  }
  return candidates
}

export function bestClass(scores: Float32Array, from: number): { best: number; score: number } {
  let best = 0
  for (let each = 1; each < COCO_CLASSES; each++)
    if ((scores[from + each] ?? 0) > (scores[from + best] ?? 0)) best = each
  return { best, score: scores[from + best] ?? 0 }
}
