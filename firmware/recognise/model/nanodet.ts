import { type Candidate, SCORE_FLOOR } from "./candidates.ts"
import { COCO_CLASSES, kindOf } from "./coco.ts"
import type { InputSize, Preparation } from "./letterbox.ts"
import { bestClass } from "./yolox.ts"

/**
 * NanoDet (RangiLyu): for each cell of each grid one row of
 *
 *   80 scores of classes · for left, top, right, bottom: 8 weights of the distances 0 to 7
 *
 * in units of the grid's stride. NanoDet has grids of strides 8, 16 and 32, and looks from the middle of a cell;
 * NanoDet-Plus has 64 too, and looks from its corner. Distances are means by softmax of the weights.
 */

/** Of ImageNet's pictures. */
export const NANODET_PREPARATION: Preparation = {
  ...{ place: "middle", padding: 0, mean: [103.53, 116.28, 123.675], deviation: [57.375, 57.12, 58.395] },
}
export const NANODET_OVERLAP_MAX = 0.6

const DISTANCES = 8
export const NANODET_ROW = COCO_CLASSES + 4 * DISTANCES

export interface NanoDetGrids {
  readonly strides: readonly number[]
  /** From where in a cell distances count, in cells. */
  readonly origin: 0 | 0.5
}

const GRIDS: readonly NanoDetGrids[] = [
  { strides: [8, 16, 32], origin: 0.5 },
  { strides: [8, 16, 32, 64], origin: 0 },
]

/** Which of the two gives so many rows; null: neither. */
export function nanoDetGrids(input: InputSize, rows: number): NanoDetGrids | null {
  return (
    GRIDS.find(({ strides }) => strides.reduce((sum, stride) => sum + cells(input, stride), 0) === rows) ??
    null
  )
}

function cells({ width, height }: InputSize, stride: number): number {
  return Math.ceil(width / stride) * Math.ceil(height / stride)
}

export function nanoDetCandidates(
  output: Float32Array,
  input: InputSize,
  { strides, origin }: NanoDetGrids,
): Candidate[] {
  const candidates: Candidate[] = []
  let at = 0
  for (const stride of strides) {
    const columns = Math.ceil(input.width / stride)
    const rows = Math.ceil(input.height / stride)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++, at += NANODET_ROW) {
        const { best, score } = bestClass(output, at)
        const kind = kindOf(best)
        // Also no NaN.
        if (kind === null || !(score >= SCORE_FLOOR)) continue
        const x = (column + origin) * stride
        const y = (row + origin) * stride
        const distance = (side: number) => stride * meanDistance(output, at + COCO_CLASSES + side * DISTANCES)
        candidates.push({
          ...{ ...kind, score },
          ...{ left: x - distance(0), top: y - distance(1), right: x + distance(2), bottom: y + distance(3) },
        })
      }
  }
  return candidates
}

function meanDistance(weights: Float32Array, from: number): number {
  let largest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < DISTANCES; i++) largest = Math.max(largest, weights[from + i] ?? 0)
  let sum = 0
  let mean = 0
  for (let i = 0; i < DISTANCES; i++) {
    const weight = Math.exp((weights[from + i] ?? 0) - largest)
    sum += weight
    mean += weight * i
  }
  return mean / sum
}
