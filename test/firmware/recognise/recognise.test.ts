import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { type CameraConfigInput, parseConfig } from "../../../firmware/config.ts"
import type { Box, Detector, Frame } from "../../../firmware/ports.ts"
import { frameFlaw, Recogniser, type StageSaid } from "../../../firmware/recognise/recognise.ts"
import type { Verdict } from "../../../firmware/recognise/verdict.ts"
import { mutant } from "../../mutants.ts"

const forever = new AbortController().signal
const WALKER: Box = { label: "person", score: 0.8, left: 0.1, top: 0.3, right: 0.3, bottom: 0.8 }
const PARKED: Box = { label: "vehicle", score: 0.9, left: 0.6, top: 0.5, right: 0.95, bottom: 0.9 }

/** A yard in which `walker` stands from second 5 on. */
function frame(second: number, walker: Box | null = WALKER): Frame {
  const [width, height] = [160, 90]
  const luma = new Uint8Array(width * height).fill(90)
  const shown = second >= 5 ? walker : null
  for (let y = 0; shown && y < height; y++)
    for (let x = 0; x < width; x++)
      if (
        x / width >= shown.left &&
        x / width < shown.right &&
        y / height >= shown.top &&
        y / height < shown.bottom
      )
        luma[y * width + x] = 160 + ((x * y) % 9)
  return { at: second * 1_000, width, height, luma }
}

const detector = (boxes: unknown): Detector => ({ detect: async () => boxes as readonly Box[] })

interface Judged {
  readonly verdict: Verdict
  readonly said: readonly StageSaid[]
}

/** The verdict on an event at second 5, seen until second 10. */
async function judged(
  eyes: Detector | null,
  { settings = {}, walker = WALKER as Box | null, signal = forever, kind = Recogniser } = {} as {
    settings?: NonNullable<CameraConfigInput["recognise"]>
    walker?: Box | null
    signal?: AbortSignal
    kind?: typeof Recogniser
  },
): Promise<Judged> {
  const said: StageSaid[] = []
  const observe = (each: StageSaid) => said.push(each)
  const { recognise } = parseConfig({ recognise: settings })
  const recogniser = new kind({ settings: recognise, detector: eyes, observe })
  for (let second = 0; second < 5; second++) recogniser.learn(frame(second, walker))
  const recognition = recogniser.begin({ kind: "motion", at: 5_000 })
  for (let second = 5; second < 10; second++) if (await recognition.look(frame(second, walker), signal)) break
  return { verdict: recognition.conclude(), said }
}

const byVote = (label: string) => ({ keep: true, label, by: "vote" })

describe("the stages of one event", () => {
  test("keep a visitor whom two frames show, by their label, and say what each stage said", async () => {
    const { verdict, said } = await judged(detector([WALKER]))
    expect(verdict).toEqual(byVote("person"))
    const stages = said.filter(({ at }) => at >= 5_000).map(({ stage }) => stage)
    const look = ["motion", "detector", "vote"]
    expect(stages).toEqual([...look, ...look, "verdict"])
  })

  test("do not ask the detector where nothing moves, and drop that", async () => {
    const asked: number[] = []
    const eyes = {
      detect: async ({ at }: Frame) => {
        asked.push(at)
        return [PARKED]
      },
    }
    expect((await judged(eyes, { walker: null })).verdict).toEqual({ keep: false, label: null, by: "vote" })
    expect(asked).toEqual([])
  })

  test("do not count what stood there before: a parked car is no visitor", async () => {
    expect((await judged(detector([PARKED]))).verdict).toMatchObject({ keep: false })
    const careless = await mutant<typeof import("../../../firmware/recognise/recognise.ts")>(
      "firmware/recognise/recognise.ts",
      {
        path: "firmware/recognise/recognise.ts",
        from: "placed.filter((box) => this.#motion.differsWithin(box))",
        to: "placed",
      },
    )
    expect((await judged(detector([PARKED]), { kind: careless.Recogniser })).verdict.keep).toBe(true)
  })

  test("count who stands in a zone, by the feet, and in a zone of their label", async () => {
    const square = (left: number, top: number, right: number, bottom: number): [number, number][] => [
      [left, top],
      [right, top],
      [right, bottom],
      [left, bottom],
    ]
    const zones = async (...all: { corners: [number, number][]; labels?: "animal"[] }[]) =>
      (await judged(detector([WALKER]), { settings: { zones: all } })).verdict.keep
    expect(await zones({ corners: square(0, 0.7, 0.5, 1) })).toBe(true)
    expect(await zones({ corners: square(0, 0, 0.5, 0.6) })).toBe(false) // only the head is in it
    expect(await zones({ corners: square(0.5, 0, 1, 1) })).toBe(false)
    expect(await zones({ corners: square(0.5, 0, 1, 1) }, { corners: square(0, 0, 0.5, 1) })).toBe(true)
    expect(await zones({ corners: square(0, 0, 1, 1), labels: ["animal"] })).toBe(false)
  })

  test("count a box that ends with the picture in a zone that does, too", async () => {
    const box = { ...WALKER, bottom: 1 }
    const corners: [number, number][] = [
      [0, 0.5],
      [1, 0.5],
      [1, 1],
      [0, 1],
    ]
    const settings = { zones: [{ corners }] }
    expect((await judged(detector([box]), { settings, walker: box })).verdict.keep).toBe(true)
  })

  test("keep no clip of labels that nobody wants", async () => {
    const settings = { labels: ["vehicle" as const] }
    expect((await judged(detector([WALKER]), { settings })).verdict.keep).toBe(false)
  })

  test("ask no more often than configured, whatever the rate of frames", async () => {
    const asked: number[] = []
    const eyes = {
      detect: async ({ at }: Frame) => {
        asked.push(at)
        return []
      },
    }
    await judged(eyes, { settings: { detectEvery: 2_000 } })
    expect(asked).toEqual([5_000, 7_000, 9_000])
  })

  test("without a model keep what moves as a body, without a label, and drop what is still", async () => {
    expect((await judged(null)).verdict).toEqual({ keep: true, label: null, by: "motion" })
    expect((await judged(null, { walker: null })).verdict).toEqual({ keep: false, label: null, by: "motion" })
  })

  test("keep what nobody had time to look at", async () => {
    const recogniser = new Recogniser({ settings: parseConfig().recognise, detector: null })
    const verdict = recogniser.begin({ kind: "motion", at: 0 }).conclude()
    expect(verdict).toEqual({ keep: true, label: null, by: "too late" })
  })
})

describe("a detector that is no good", () => {
  const failures = ({ said }: Judged) => said.filter(({ stage }) => stage === "detector failed")

  test("and throws leaves the verdict to what moves", async () => {
    const eyes = { detect: async () => Promise.reject(new Error("no memory")) }
    const seen = await judged(eyes)
    expect(seen.verdict).toEqual({ keep: true, label: null, by: "motion" })
    expect(failures(seen)).toMatchObject([{ reason: "no memory" }])
  })

  test("and throws where it should promise does the same", async () => {
    const eyes = {
      detect: () => {
        throw new Error("no session")
      },
    }
    expect((await judged(eyes)).verdict.by).toBe("motion")
  })

  test("and hangs is not waited for, and then left out", async () => {
    const stop = new AbortController()
    const recogniser = new Recogniser({
      settings: parseConfig().recognise,
      detector: { detect: () => new Promise<never>(() => undefined) },
    })
    for (let second = 0; second < 5; second++) recogniser.learn(frame(second))
    const first = recogniser.begin({ kind: "motion", at: 5_000 })
    const looking = first.look(frame(5), stop.signal)
    stop.abort()
    expect(await looking).toBeNull()
    expect(first.conclude()).toEqual({ keep: true, label: null, by: "too late" })
    const second = recogniser.begin({ kind: "motion", at: 25_000 })
    for (let at = 25; at < 30; at++) await second.look(frame(at), forever)
    expect(second.conclude()).toEqual({ keep: true, label: null, by: "motion" })
  })

  test.each([
    ["no list", "boxes"],
    ["nothing", undefined],
    ["a box of numbers that are none", [{ ...WALKER, left: Number.NaN }]],
    ["a box outside the picture", [{ ...WALKER, right: 1.2 }]],
    ["a box inside out", [{ ...WALKER, left: 0.4 }]],
    ["an unknown label", [{ ...WALKER, label: "neighbour" }]],
    ["a score of 7", [{ ...WALKER, score: 7 }]],
    ["null", [null]],
    ["far too many", new Array(20_000).fill(WALKER)],
  ])("and answers with %s is told of, and what moves decides", async (_what, boxes) => {
    const seen = await judged(detector(boxes))
    expect(seen.verdict.by).toBe("motion")
    expect(failures(seen)).toHaveLength(1)
  })

  test("and answers with anything at all still gives a verdict", async () => {
    await fc.assert(
      fc.asyncProperty(fc.anything(), async (boxes) => {
        expect((await judged(detector(boxes))).verdict).toHaveProperty("keep")
      }),
      { numRuns: 30 },
    )
  })
})

test.each([
  ["no pixels", { width: 0, height: 0, luma: new Uint8Array() }],
  ["half a pixel", { width: 1.5, height: 2, luma: new Uint8Array(3) }],
  ["too few bytes", { width: 4, height: 4, luma: new Uint8Array(15) }],
  ["a side too long", { width: 5_000, height: 1, luma: new Uint8Array(5_000) }],
  ["colour of another size", { ...frame(0), chroma: { blue: new Uint8Array(1), red: new Uint8Array(1) } }],
  ["no time", { ...frame(0), at: Number.NaN }],
])("a picture with %s is not looked at", (_what, wrong) => {
  expect(frameFlaw({ ...frame(0), ...wrong })).toMatch(/^a picture/)
  expect(frameFlaw(frame(0))).toBeNull()
})
