import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { MediaFlaw } from "../../../firmware/log.ts"
import { cutAt, expectRising, live, parse, timesFor, timesOf } from "./access-units.ts"
import { annexB, hexOf, pictures, slice, sps } from "./synthetic.ts"

describe("bad input", () => {
  const group = () => pictures({ groups: 1 }).flatMap(({ nals }) => nals)

  test("a stream joined in the middle begins at its first key frame", () => {
    const all = pictures({ groups: 2 })
    const stream = all.slice(3).map(({ nals }) => annexB(nals))
    const { units, flaws } = parse(cutAt(stream, timesFor(all).slice(3), []))
    expect(flaws).toEqual(["before the first key frame"])
    expect(timesOf(units)).toEqual(timesFor(all).slice(8))
  })

  test.for<[MediaFlaw, Uint8Array[]]>([
    ["malformed slice", [slice({ frameNumber: 9 }).fill(0xff, 0, 1)]],
    ["malformed slice", [slice({ frameNumber: 9 }).subarray(0, 3)]],
    ["malformed slice", [slice({ frameNumber: 9, firstMacroblock: 4_000 })]],
    ["missing first slice", [slice({ frameNumber: 9, firstMacroblock: 40 })]],
    ["malformed parameter sets", [sps().subarray(0, 6), slice({ frameNumber: 9 })]],
    ["malformed parameter sets", [sps({ columns: 20 }), slice({ frameNumber: 9 })]],
    ["no parameter sets", [slice({ frameNumber: 9, ppsId: 3 })]],
    ["unit too large", [slice({ frameNumber: 9, bytes: 9_000 })]],
  ])("%s: skipped to the next key frame and told once", ([flaw, bad]) => {
    const stream = [...group(), ...bad, slice({ frameNumber: 10, pictureOrder: 20 }), ...group()]
    const { units, flaws } = parse([{ bytes: annexB(stream), at: 0 }], 15, 8_000)
    expect(flaws).toEqual([flaw])
    const good = hexOf(pictures({ groups: 1 }))
    const kept = hexOf(units)
    expect(kept.slice(-8)).toEqual(good)
    expect(good).toEqual(expect.arrayContaining(kept.slice(0, -8)))
    expect(kept.length).toBeGreaterThanOrEqual(8 + 7)
  })

  test("key frames without parameter sets are each told", () => {
    const nals = pictures({ groups: 2, setsOnce: true }).flatMap((picture) => picture.nals)
    const { units, flaws } = parse([{ bytes: annexB(nals.slice(2)), at: 0 }])
    expect(units).toEqual([])
    expect(flaws).toEqual(["no parameter sets", "no parameter sets"])
  })

  test("whatever the bytes, nothing throws, and the next whole group of pictures is found", () => {
    const clean = annexB(pictures({ groups: 4, slices: 2, bFrames: true }).flatMap(({ nals }) => nals))
    const damage = fc.record({
      at: fc.nat(),
      kind: fc.constantFrom("flip", "cut", "zero", "code"),
      n: fc.nat(200),
    })
    fc.assert(
      fc.property(
        fc.array(damage, { minLength: 1, maxLength: 30 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        (all, cuts) => {
          let bytes = Buffer.from(clean)
          for (const { at, kind, n } of all) {
            const p = at % bytes.length
            if (kind === "flip") bytes[p] = n
            else if (kind === "zero") bytes.fill(0, p, Math.min(bytes.length, p + n))
            else if (kind === "code") bytes.set([0, 0, 1, n].slice(0, bytes.length - p), p)
            else bytes = Buffer.concat([bytes.subarray(0, p), bytes.subarray(p + n)])
          }
          const after = pictures({ groups: 2 })
          const { units } = parse(cutAt([bytes, annexB(after.flatMap(({ nals }) => nals))], [], cuts))
          expect(hexOf(units.slice(-8))).toEqual(hexOf(after.slice(-8)))
          expectRising(units.map(({ dts }) => dts))
        },
      ),
      { numRuns: 300 },
    )
  })

  test("a NAL unit that never ends is not held", () => {
    const { units, flaws } = parse(
      [
        { bytes: annexB(group()), at: 0 },
        ...Array.from({ length: 2_000 }, () => ({ bytes: new Uint8Array(4_096).fill(0xab), at: 0 })),
        { bytes: annexB(group()), at: 0 },
      ],
      15,
      64 * 1024,
    )
    expect(flaws).toEqual(["unit too large"])
    expect(units).toHaveLength(7 + 8)
  })

  test("a NAL unit that is too large is skipped whether it comes in one read or in many", () => {
    const stream = annexB([...group(), slice({ frameNumber: 9, bytes: 40_000 }), ...group()])
    for (const size of [stream.length, 16_384, 5_000, 61, 1]) {
      const cuts = Array.from({ length: Math.ceil(stream.length / size) }, (_, i) => i * size)
      const { units, flaws } = parse(cutAt([stream], [], cuts), 15, 20_000)
      expect(flaws).toEqual(["unit too large"])
      expect(hexOf(units)).toEqual(hexOf([...pictures({ groups: 1 }), ...pictures({ groups: 1 })]))
    }
  })

  test("an access unit of a million tiny NAL units is not held", () => {
    const tiny = Buffer.alloc(400_000, Buffer.from([0, 0, 1, 6]))
    const { units, flaws } = parse([
      { bytes: annexB(group()), at: 0 },
      { bytes: tiny, at: 0 },
      ...live(pictures({ groups: 2 }), 66),
    ])
    expect(flaws).toEqual(["unit too large"])
    expect(units).toHaveLength(8 + 8)
  })
})
