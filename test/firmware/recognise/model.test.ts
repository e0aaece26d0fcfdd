import { describe, expect, test } from "vitest"
import type { Frame } from "../../../firmware/ports.ts"
import { boxesOf, type Candidate } from "../../../firmware/recognise/model/candidates.ts"
import { labelOf } from "../../../firmware/recognise/model/coco.ts"
import { familyOf, inputSizeOf } from "../../../firmware/recognise/model/family.ts"
import { fitOf, letterbox } from "../../../firmware/recognise/model/letterbox.ts"
import { NANODET_PREPARATION, NANODET_ROW } from "../../../firmware/recognise/model/nanodet.ts"
import { YOLOX_PREPARATION, YOLOX_ROW, yoloxCells } from "../../../firmware/recognise/model/yolox.ts"

const SIZE = { width: 64, height: 64 }
/** It fills the input. */
const WHOLE = { left: 0, top: 0, width: 64, height: 64 }

function plain(width: number, height: number, [y, cb, cr]: readonly [number, number, number]): Frame {
  const half = ((width + 1) >> 1) * ((height + 1) >> 1)
  const chroma = { blue: new Uint8Array(half).fill(cb), red: new Uint8Array(half).fill(cr) }
  return { at: 0, width, height, luma: new Uint8Array(width * height).fill(y), chroma }
}

describe("a picture for a model", () => {
  test("keeps its shape: at the top left with 114 around it for YOLOX, in the middle for NanoDet", () => {
    const wide = plain(640, 320, [235, 128, 128])
    const tensor = new Float32Array(3 * 64 * 64)
    expect(letterbox(wide, SIZE, YOLOX_PREPARATION, tensor)).toEqual({
      left: 0,
      top: 0,
      width: 64,
      height: 32,
    })
    expect(tensor[31 * 64 + 63]).toBeCloseTo(254.9, 1)
    expect(tensor[32 * 64]).toBe(114)
    expect(fitOf(wide, SIZE, "middle")).toEqual({ left: 0, top: 16, width: 64, height: 32 })
    expect(fitOf({ width: 1, height: 1_000 }, SIZE, "top left")).toMatchObject({ width: 1, height: 64 })
  })

  test.each([
    ["red", [81, 90, 240], [0, 0, 254]],
    ["green", [145, 54, 34], [0, 255, 0]],
    ["blue", [41, 240, 110], [255, 0, 0]],
    ["black", [16, 128, 128], [0, 0, 0]],
  ] as const)("is blue, green, red from 0 to 255: %s", (_name, ycc, bgr) => {
    const tensor = new Float32Array(3 * 64 * 64)
    letterbox(plain(64, 64, ycc), SIZE, YOLOX_PREPARATION, tensor)
    for (const [plane, value] of bgr.entries())
      expect(Math.abs((tensor[plane * 4096 + 99] ?? 0) - value)).toBeLessThan(3)
  })

  test("without colour is grey, and NanoDet's has mean and deviation taken out", () => {
    const { chroma: _, ...grey } = plain(63, 63, [126, 0, 0])
    const tensor = new Float32Array(3 * 64 * 64)
    letterbox(grey, SIZE, NANODET_PREPARATION, tensor)
    expect(tensor[99]).toBeCloseTo((128.04 - 103.53) / 57.375, 2)
    expect(tensor[99 + 2 * 4096]).toBeCloseTo((128.04 - 123.675) / 58.395, 2)
  })

  test("an edge stays where it was, to a pixel", () => {
    const frame = plain(640, 640, [16, 128, 128])
    for (let y = 0; y < 640; y++) frame.luma.fill(235, y * 640 + 320, (y + 1) * 640)
    const tensor = new Float32Array(3 * 64 * 64)
    letterbox(frame, SIZE, YOLOX_PREPARATION, tensor)
    expect(tensor.slice(64 * 10 + 31, 64 * 10 + 33).map(Math.round)).toEqual(new Float32Array([0, 255]))
  })
})

/** One row of numbers for a cell; all others are nothing. */
function withRow(
  cells: number,
  row: number,
  cell: number,
  values: readonly (readonly [number, number])[],
): Float32Array {
  const output = new Float32Array(cells * row)
  for (const [at, value] of values) output[cell * row + at] = value
  return output
}

const output = (values: Float32Array, row: number) => [
  { name: "output", dims: [1, values.length / row, row], values },
]

describe("YOLOX's numbers", () => {
  const CELLS = yoloxCells(SIZE)
  const empty = output(new Float32Array(CELLS * YOLOX_ROW), YOLOX_ROW)

  test("become boxes: offsets and logarithms in strides, object times class", () => {
    const family = familyOf(empty, SIZE)
    // The grid of stride 16 begins after 64 cells; its cell (2, 1) is the 6th.
    const values = withRow(CELLS, YOLOX_ROW, 64 + 6, [
      ...([
        [0, 0.5],
        [1, 0.5],
        [2, Math.log(2)],
        [3, Math.log(1)],
        [4, 0.9],
        [5 + 16, 0.8],
      ] as const),
    ])
    expect(family.name).toBe("YOLOX")
    const [box, ...others] = family.boxes(output(values, YOLOX_ROW), WHOLE)
    expect(others).toEqual([])
    expect(box).toMatchObject({ label: "animal", top: 16 / 64, bottom: 32 / 64 })
    expect(box?.left).toBeCloseTo(24 / 64)
    expect(box?.right).toBeCloseTo(56 / 64)
    expect(box?.score).toBeCloseTo(0.72)
  })

  test("decoded in the model itself are taken as pixels", () => {
    const values = withRow(CELLS, YOLOX_ROW, CELLS - 1, [
      [0, 48],
      [1, 48],
    ])
    const family = familyOf(output(values, YOLOX_ROW), SIZE)
    const found = withRow(CELLS, YOLOX_ROW, 3, [
      [0, 32],
      [1, 32],
      [2, 16],
      [3, 32],
      [4, 1],
      [5, 1],
    ])
    expect(family.boxes(output(found, YOLOX_ROW), WHOLE)).toMatchObject([
      { label: "person", left: 24 / 64, right: 40 / 64, top: 16 / 64, bottom: 48 / 64 },
    ])
  })

  test("that are no numbers, or beyond all measure, are no boxes outside of the picture", () => {
    const family = familyOf(empty, SIZE)
    const wild = withRow(CELLS, YOLOX_ROW, 3, [
      [0, Number.NaN],
      [4, 1],
      [5, 1],
    ])
    expect(family.boxes(output(wild, YOLOX_ROW), WHOLE)).toEqual([])
    const endless = withRow(CELLS, YOLOX_ROW, 3, [
      [2, 1e9],
      [3, 1e9],
      [4, 7],
      [5, 7],
    ])
    for (const box of family.boxes(output(endless, YOLOX_ROW), WHOLE)) {
      expect(Math.max(box.right, box.bottom, box.score)).toBeLessThanOrEqual(1)
      expect(Math.min(box.left, box.top)).toBeGreaterThanOrEqual(0)
    }
    expect(
      family.boxes(output(new Float32Array(CELLS * YOLOX_ROW).fill(Number.NaN), YOLOX_ROW), WHOLE),
    ).toEqual([])
  })

  test("of a bench that looks a little like a person are no person", () => {
    const family = familyOf(empty, SIZE)
    const values = withRow(CELLS, YOLOX_ROW, 3, [
      [4, 1],
      [5, 0.4],
      [5 + 13, 0.6],
    ])
    expect(family.boxes(output(values, YOLOX_ROW), WHOLE)).toMatchObject([{ label: "vehicle", thing: true }])
  })
})

describe("NanoDet's numbers", () => {
  /** All of a side's weight on one distance. */
  const sides = (...distances: readonly number[]) =>
    distances.map((distance, side) => [80 + side * 8 + distance, 50] as const)

  test.each([
    ["NanoDet", 64 + 16 + 4, 0.5],
    ["NanoDet-Plus", 64 + 16 + 4 + 1, 0],
  ])("of %s become boxes: distances to four sides from a cell", (name, cells, origin) => {
    const family = familyOf(output(new Float32Array(cells * NANODET_ROW), NANODET_ROW), SIZE)
    expect(family.name).toBe(name)
    const values = withRow(cells, NANODET_ROW, 3 * 8 + 4, [[2, 0.7], ...sides(1, 2, 3, 0)])
    const [x, y] = [(4 + origin) * 8, (3 + origin) * 8]
    const [box] = family.boxes(output(values, NANODET_ROW), WHOLE)
    expect(box?.label).toBe("vehicle")
    expect(box?.left).toBeCloseTo((x - 8) / 64)
    expect(box?.top).toBeCloseTo((y - 16) / 64)
    expect(box?.right).toBeCloseTo((x + 24) / 64)
    expect(box?.bottom).toBeCloseTo(y / 64)
  })

  test("spread over several distances mean what lies between", () => {
    const cells = 84
    const family = familyOf(output(new Float32Array(cells * NANODET_ROW), NANODET_ROW), SIZE)
    const even = withRow(cells, NANODET_ROW, 3 * 8 + 4, [[0, 0.7]])
    const [box] = family.boxes(output(even, NANODET_ROW), WHOLE)
    expect(((box?.right ?? 0) - (box?.left ?? 0)) * 64).toBeCloseTo(2 * 3.5 * 8)
  })
})

describe("boxes", () => {
  const at = (left: number, score: number, label: Candidate["label"] = "person"): Candidate => ({
    ...{ label, score, left, top: 0, right: left + 10, bottom: 10 },
  })
  const fit = { left: 0, top: 0, width: 100, height: 100 }

  test("of the same thing are one, the best; others and other labels stay, best first", () => {
    const boxes = boxesOf([at(0, 0.5), at(1, 0.9), at(30, 0.6), at(0, 0.7, "animal")], fit, 0.45)
    expect(boxes.map(({ label, score }) => [label, score])).toEqual([
      ["person", 0.9],
      ["animal", 0.7],
      ["person", 0.6],
    ])
  })

  test("are fractions of the picture, not of what is around it, cut at its edges", () => {
    const middle = { left: 10, top: 20, width: 80, height: 60 }
    const [box] = boxesOf([{ ...at(5, 0.9), right: 50, top: 30, bottom: 95 }], middle, 0.45)
    expect(box).toMatchObject({ left: 0, right: 0.5, bottom: 1 })
    expect(box?.top).toBeCloseTo(1 / 6)
    expect(boxesOf([{ ...at(95, 0.9) }], middle, 0.45)).toEqual([])
  })

  test("are of persons, animals and vehicles alone", () => {
    const labels = Array.from({ length: 80 }, (_, i) => labelOf(i))
    expect(labels.filter((label) => label === "person")).toHaveLength(1)
    expect(labels.filter((label) => label === "vehicle")).toHaveLength(8)
    expect(labels.filter((label) => label === "animal")).toHaveLength(10)
    expect([labels[2], labels[13], labels[16]]).toEqual(["vehicle", null, "animal"])
  })
})

describe("a model of another kind is refused, with what it takes or gives", () => {
  test.each([
    ["nothing", [], "it takes nothing"],
    [
      "two pictures",
      [
        [1, 3, 416, 416],
        [1, 3, 416, 416],
      ],
      "it takes 1 x 3 x 416 x 416, 1 x 3",
    ],
    ["channels last", [[1, 416, 416, 3]], "it takes 1 x 416 x 416 x 3"],
    ["a batch", [[8, 3, 416, 416]], "it takes 8 x 3"],
    ["an odd size", [[1, 3, 300, 300]], "it takes 1 x 3 x 300 x 300"],
    ["a huge size", [[1, 3, 4096, 4096]], "sides fixed, multiples of 32 up to 1280"],
    ["an open size", [[1, 3, "height", "width"]], "it takes 1 x 3 x height x width"],
    ["no size", [[1, 3, -1, -1]], "it takes 1 x 3 x -1 x -1"],
  ])("input: %s", (_name, dims, message) => {
    expect(() => inputSizeOf(dims.map((each) => ({ name: "x", dims: each })))).toThrow(message)
  })

  test("an open batch is a batch of one", () => {
    expect(inputSizeOf([{ name: "x", dims: ["batch", 3, 320, 416] }])).toEqual({ width: 416, height: 320 })
  })

  test.each([
    ["nothing", []],
    ["YOLOv5's anchors", [[1, 252, 85]]],
    ["YOLOv8's columns", [[1, 84, 84]]],
    ["one class", [[1, 84, 6]]],
    ["NanoDet's grids of another size", [[1, 2_100, 112]]],
    [
      "NanoDet's six outputs of 2020",
      [
        [1, 64, 80],
        [1, 64, 32],
        [1, 16, 80],
        [1, 16, 32],
        [1, 4, 80],
        [1, 4, 32],
      ],
    ],
    ["classes of a picture", [[1, 1_000]]],
    ["a number", [[]]],
  ])("output: %s", (_name, shapes) => {
    const outputs = shapes.map((dims) => ({
      ...{ name: "y", dims },
      values: new Float32Array(dims.reduce((a, b) => a * b, 1)),
    }))
    expect(() => familyOf(outputs, SIZE)).toThrow(
      /^it gives .*; of pictures of 64 x 64 a YOLOX of COCO's 80 classes gives 1 x 84 x 85, a NanoDet 1 x cells x 112$/,
    )
  })
})
