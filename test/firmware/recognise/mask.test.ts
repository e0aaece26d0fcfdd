import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { parseConfig } from "../../../firmware/config.ts"
import type { Frame } from "../../../firmware/ports.ts"
import { Masks } from "../../../firmware/recognise/mask.ts"
import { type Polygon, polygonFlaw, touches } from "../../../firmware/recognise/polygon.ts"

const LEFT_HALF: Polygon = [
  [0, 0],
  [0.5, 0],
  [0.5, 1],
  [0, 1],
]

function bright(width: number, height: number): Frame {
  const half = Math.ceil(width / 2) * Math.ceil(height / 2)
  const chroma = { blue: new Uint8Array(half).fill(200), red: new Uint8Array(half).fill(60) }
  return { at: 7, width, height, luma: new Uint8Array(width * height).fill(220), chroma }
}

describe("a privacy mask", () => {
  test("paints what is under it black and grey, and leaves the rest and the given frame alone", () => {
    const frame = bright(8, 4)
    const shown = new Masks([LEFT_HALF]).apply(frame)
    const row = [16, 16, 16, 16, 16, 220, 220, 220] // a pixel that the edge touches is covered, too
    expect([...shown.luma]).toEqual([...row, ...row, ...row, ...row])
    expect([...(shown.chroma?.blue ?? [])]).toEqual([128, 128, 128, 200, 128, 128, 128, 200])
    expect([...(shown.chroma?.red ?? [])]).toEqual([128, 128, 128, 60, 128, 128, 128, 60])
    expect(frame).toEqual(bright(8, 4))
    expect(shown).toMatchObject({ at: 7, width: 8, height: 4 })
  })

  test("covers every pixel that any of its inside lies in, of any polygon and size of picture", () => {
    const fraction = fc.double({ min: 0, max: 1, noNaN: true })
    const corner = fc.tuple(fraction, fraction)
    const side = fc.integer({ min: 1, max: 41 })
    const inside = fc.tuple(fraction, fraction)
    fc.assert(
      fc.property(corner, corner, corner, inside, side, side, (a, b, c, [u, v], width, height) => {
        const corners = [a, b, c]
        fc.pre(polygonFlaw(corners) === null)
        const [p, q] = u + v > 1 ? [1 - u, 1 - v] : [u, v]
        // Rounding may leave the picture by less than any pixel.
        const x = Math.max(0, a[0] + p * (b[0] - a[0]) + q * (c[0] - a[0]))
        const y = Math.max(0, a[1] + p * (b[1] - a[1]) + q * (c[1] - a[1]))
        const { luma, chroma } = new Masks([corners]).apply(bright(width, height))
        const [column, row] = [
          Math.min(width - 1, Math.floor(x * width)),
          Math.min(height - 1, Math.floor(y * height)),
        ]
        expect(luma[row * width + column]).toBe(16)
        const half = Math.ceil(width / 2)
        expect(chroma?.blue[(row >> 1) * half + (column >> 1)]).toBe(128)
      }),
      { numRuns: 300 },
    )
  })

  test("is drawn anew for another size of frames", () => {
    const masks = new Masks([LEFT_HALF])
    masks.apply(bright(8, 4))
    expect(masks.apply(bright(3, 1)).luma).toEqual(Uint8Array.of(16, 16, 220))
  })

  test("none changes nothing and copies nothing", () => {
    const frame = bright(4, 4)
    expect(new Masks([]).apply(frame)).toBe(frame)
  })

  test("thinner than a pixel still covers the pixels that it crosses", () => {
    const sliver: Polygon = [
      [0.4, 0],
      [0.401, 0],
      [0.401, 1],
      [0.4, 1],
    ]
    expect([
      ...new Masks([sliver]).apply({ at: 0, width: 5, height: 1, luma: new Uint8Array(5).fill(99) }).luma,
    ])
      // The edge between the second and the third pixel belongs to both.
      .toEqual([99, 16, 16, 99, 99])
    const pixel = { left: 0.2, top: 0, right: 0.3, bottom: 1 }
    expect(touches(sliver, pixel)).toBe(false)
  })
})

describe("polygons in a configuration", () => {
  const mask = (corners: unknown) => () => parseConfig({ recognise: { masks: [corners] } } as never)
  const L_SHAPE = [
    [0, 0],
    [1, 0],
    [1, 0.5],
    [0.5, 0.5],
    [0.5, 1],
    [0, 1],
  ]

  test("may be of any shape that has an area and does not cross itself", () => {
    expect(mask(LEFT_HALF)).not.toThrow()
    expect(mask(L_SHAPE)).not.toThrow()
    expect(mask([...L_SHAPE].reverse())).not.toThrow()
  })

  test.each([
    [
      "two corners",
      [
        [0, 0],
        [1, 1],
      ],
      /at least 3 corners/,
    ],
    ["65 corners", Array.from({ length: 65 }, (_, i) => [i / 65, (i % 2) / 2]), /at most 64 corners/],
    [
      "pixels instead of fractions",
      [
        [0, 0],
        [640, 0],
        [640, 360],
      ],
      /lies outside the picture; write fractions/,
    ],
    [
      "a corner below zero",
      [
        [-0.1, 0],
        [1, 0],
        [1, 1],
      ],
      /outside the picture/,
    ],
    [
      "all corners on one line",
      [
        [0, 0],
        [0.5, 0.5],
        [1, 1],
      ],
      /no area/,
    ],
    [
      "one corner thrice",
      [
        [0.3, 0.3],
        [0.3, 0.3],
        [0.3, 0.3],
      ],
      /no area/,
    ],
    [
      "a bow tie",
      [
        [0, 0],
        [1, 1],
        [1, 0],
        [0, 1],
      ],
      /edges cross/,
    ],
    [
      "no number",
      [
        [0, 0],
        ["a", 0],
        [1, 1],
      ],
      /expected number/,
    ],
    [
      "a number that is none",
      [
        [0, 0],
        [Number.NaN, 0],
        [1, 1],
      ],
      /number/,
    ],
    [
      "a corner of three",
      [
        [0, 0, 0],
        [1, 0],
        [1, 1],
      ],
      /recognise.masks.0.0/,
    ],
    ["no list", "left half", /expected array/],
  ])("with %s is refused in one line", (_what, corners, says) => {
    expect(mask(corners)).toThrow(says)
    expect(mask(corners)).toThrow(/^configuration: recognise\.masks\.0[^\n]*$/)
  })

  test("of a zone are checked as well", () => {
    const zone = (corners: unknown, labels?: unknown) => () =>
      parseConfig({ recognise: { zones: [{ corners, ...(labels !== undefined && { labels }) }] } } as never)
    expect(zone(LEFT_HALF, ["person"])).not.toThrow()
    expect(zone([[0, 0]])).toThrow(/recognise.zones.0.corners/)
    expect(zone(LEFT_HALF, ["ghost"])).toThrow(/recognise.zones.0.labels/)
  })
})
