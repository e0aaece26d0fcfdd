import { Fault } from "../../errors.ts"
import type { Box } from "../../ports.ts"
import { boxesOf } from "./candidates.ts"
import type { Fit, InputSize, Preparation } from "./letterbox.ts"
import {
  NANODET_OVERLAP_MAX,
  NANODET_PREPARATION,
  NANODET_ROW,
  nanoDetCandidates,
  nanoDetGrids,
} from "./nanodet.ts"
import {
  YOLOX_OVERLAP_MAX,
  YOLOX_PREPARATION,
  YOLOX_ROW,
  yoloxCandidates,
  yoloxCells,
  yoloxGivesPixels,
} from "./yolox.ts"

/** A tensor of a model: its dimensions and, of an output, its values. A dimension that is not a number is open. */
export interface Shaped {
  readonly name: string
  readonly dims: readonly (number | string)[]
}

export interface Output extends Shaped {
  readonly values: Float32Array
}

/** A kind of model that obscura knows: how it wants its pictures, and what its numbers mean. */
export interface Family {
  readonly name: "YOLOX" | "NanoDet" | "NanoDet-Plus"
  readonly preparation: Preparation
  boxes(outputs: readonly Output[], fit: Fit): readonly Box[]
}

const SIDE_MAX = 1_280

/**
 * The size of pictures that a model takes: one input, 1 x 3 x height x width.
 * @throws Fault "unsupported", definite, with what it takes instead.
 */
export function inputSizeOf(inputs: readonly Shaped[]): InputSize {
  const [input, ...others] = inputs
  const [batch, channels, height, width] = input?.dims ?? []
  const isOne = batch === 1 || typeof batch === "string"
  if (
    others.length > 0 ||
    input?.dims.length !== 4 ||
    !isOne ||
    channels !== 3 ||
    !isSide(height) ||
    !isSide(width)
  )
    throw new Fault(
      "unsupported",
      `it takes ${spelled(inputs)}; a YOLOX or NanoDet takes one picture, 1 x 3 x height x width, sides fixed, multiples of 32 up to ${SIDE_MAX}`,
    )
  return { width, height }
}

function isSide(side: number | string | undefined): side is number {
  return typeof side === "number" && side >= 32 && side <= SIDE_MAX && side % 32 === 0
}

/**
 * Which family a model is of, by what it gave for an empty picture.
 * @throws Fault "unsupported", definite, with the shapes it has and those it should have.
 */
export function familyOf(outputs: readonly Output[], input: InputSize): Family {
  const found = asYolox(outputs, input) ?? asNanoDet(outputs, input)
  if (found) return found
  throw new Fault(
    "unsupported",
    `it gives ${spelled(outputs)}; of pictures of ${input.width} x ${input.height} a YOLOX of COCO's 80 classes gives 1 x ${yoloxCells(input)} x ${YOLOX_ROW}, a NanoDet 1 x cells x ${NANODET_ROW}`,
  )
}

function asYolox([output, ...others]: readonly Output[], input: InputSize): Family | null {
  if (!output || others.length > 0 || !isShape(output, yoloxCells(input), YOLOX_ROW)) return null
  const inPixels = yoloxGivesPixels(output.values, input)
  return {
    name: "YOLOX",
    preparation: YOLOX_PREPARATION,
    boxes: (given, fit) => boxesOf(yoloxCandidates(valuesOf(given), input, inPixels), fit, YOLOX_OVERLAP_MAX),
  }
}

/** Only the export of today: one output. That of 2020 had six. */
function asNanoDet([output, ...others]: readonly Output[], input: InputSize): Family | null {
  const rows = output?.dims[1]
  if (!output || others.length > 0 || typeof rows !== "number" || !isShape(output, rows, NANODET_ROW))
    return null
  const grids = nanoDetGrids(input, rows)
  if (!grids) return null
  return {
    name: grids.origin === 0 ? "NanoDet-Plus" : "NanoDet",
    preparation: NANODET_PREPARATION,
    boxes: (given, fit) =>
      boxesOf(nanoDetCandidates(valuesOf(given), input, grids), fit, NANODET_OVERLAP_MAX),
  }
}

function isShape({ dims, values }: Output, rows: number, row: number): boolean {
  return (
    dims.length === 3 && dims[0] === 1 && dims[1] === rows && dims[2] === row && values.length === rows * row
  )
}

function valuesOf([output]: readonly Output[]): Float32Array {
  return output?.values ?? new Float32Array(0)
}

function spelled(shapes: readonly Shaped[]): string {
  if (shapes.length === 0) return "nothing"
  return shapes
    .slice(0, 4)
    .map(({ dims }) => dims.join(" x ") || "a number")
    .join(", ")
}
