import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { compareRuns } from "../../harness/twin/compare.ts"
import { differenceLine } from "../../harness/twin/difference.ts"
import { record } from "../../harness/twin/record.ts"
import { replay } from "../../harness/twin/replay.ts"
import { clipsOf, type Input, isInput, type Trace, type TraceRecord } from "../../harness/twin/trace.ts"
import { mutant } from "../mutants.ts"
import { recordVisit, type TwinPi, twinPi } from "./twin-rig.ts"

/** One visit, on a Pi of stand-ins whose lens dies afterwards; and one on the virtual board, whose lens tells the pictures' times. */
let pi: TwinPi
let onPi: Trace
let onVirtual: Trace
beforeAll(async () => {
  pi = await twinPi()
  onPi = await recordVisit(pi)
  onVirtual = await record({ board: "virtual", scene: "day-person", seed: 1 }, { duration: 8_000 })
})
afterAll(() => pi.close())

/** What differs, of `expected` and of a replay of it with other inputs. */
async function differencesWith(expected: Trace, change: (input: Input) => readonly Input[]) {
  const records = expected.records.flatMap((each): readonly TraceRecord[] =>
    isInput(each) ? change(each) : [each],
  )
  const got = await replay({ ...expected, records }, { board: "virtual" })
  return compareRuns(expected, got, 0).differences
}

describe("a trace", () => {
  test("of a Pi with stand-ins comes out the same on the virtual board: every byte, time and event", async () => {
    const { clips, segments, events, differences } = compareRuns(
      onPi,
      await replay(onPi, { board: "virtual" }),
      0,
    )
    expect(differences.map(differenceLine)).toEqual([])
    expect(clips).toBeGreaterThan(0)
    expect(segments).toBeGreaterThan(0)
    expect(events).toBeGreaterThan(8)
    for (const what of ["piece", "moving", "ended", "edge", "driven", "reading"] as const)
      expect(onPi.records.map((each) => each.what)).toContain(what)
  })

  test("of the virtual board comes out the same there, twice", async () => {
    for (const _ of [1, 2]) {
      const again = await replay(onVirtual, { board: "virtual" })
      expect(compareRuns(onVirtual, again, 0).differences).toEqual([])
    }
  })

  test("replayed on a Pi lights that Pi's own light before it gives a clip, and lets go of it", async () => {
    const { kernel, places } = pi
    kernel.shown.delete(22)
    const got = await replay(onPi, { board: "pi", places })
    expect(kernel.shown.get(22)).toContain(1)
    expect(kernel.holders).toEqual([])
    expect(clipsOf(got.records).length).toBeGreaterThan(0)
    // How soon a wire answers is this machine's affair, so what it makes later may differ.
    const { differences } = compareRuns(onPi, got, 60_000)
    expect(differences.filter(({ what }) => what === "recording light")).toEqual([])
  })

  test("shows the light's wire driven before its clip begins", () => {
    const said = onPi.records.map((each) => ("text" in each ? each.text : each.what))
    const driven = said.indexOf("driven")
    expect(driven).toBeGreaterThan(-1)
    expect(said.indexOf("clip opened, trigger motion")).toBeGreaterThan(driven)
  })
})

describe("a twin that differs is told of just that difference", () => {
  test("one byte of a piece is changed", async () => {
    const piece = pieceInClip(onPi)
    const differences = await differencesWith(onPi, (input) =>
      input === piece ? [{ ...input, bytes: withOneByteChanged(input.bytes) }] : [input],
    )
    expect(differences).toMatchObject([
      { what: "picture", where: expect.stringMatching(/^clip 1, picture \d+$/) },
    ])
  })

  test("a picture's time is shifted", async () => {
    const differences = await differencesWith(onVirtual, (input) => {
      if (input.what !== "piece" || input.timing?.length !== 14 || !within(input, 5_000)) return [input]
      const timing = input.timing.map(([pts, dts], index): [number, number] =>
        index === 5 ? [pts + 90, dts + 90] : [pts, dts],
      )
      return [{ ...input, timing }]
    })
    expect(differences).toMatchObject([
      { what: "presentation time", where: expect.stringMatching(/^clip 1, picture \d+$/) },
    ])
  })

  test("a piece comes late where pictures have no times of their own: times differ, and no picture", async () => {
    const late = pieceInClip(onPi)
    const differences = await differencesWith(onPi, (input) =>
      input === late && input.what === "piece" ? [{ ...input, arrived: input.arrived + 20 }] : [input],
    )
    const kinds = differences.map(({ what }) => what)
    expect(kinds).toContain("presentation time")
    expect(kinds).not.toContain("picture")
  })

  test("an edge comes at another time", async () => {
    const differences = await differencesWith(onPi, (input) =>
      isEdge(input, 27) ? [{ ...input, at: input.at + 40 }] : [input],
    )
    expect(differences).toMatchObject([{ what: "time", where: '"motion, trigger bell"' }])
  })

  test("an edge is left out: a bell that nobody hears", async () => {
    const differences = await differencesWith(onPi, (input) => (isEdge(input, 27) ? [] : [input]))
    expect(differences).toMatchObject([{ what: "event", expected: '"motion, trigger bell"', got: "nothing" }])
  })

  test("all motion is left out: the clip is missing, and what belongs to it", async () => {
    const differences = await differencesWith(onVirtual, (input) => (isEdge(input, 17) ? [] : [input]))
    expect(differences).toContainEqual(
      expect.objectContaining({ what: "clip", where: "clip 1", got: "nothing" }),
    )
    expect(differences.every(({ got }) => got === "nothing")).toBe(true)
  })

  test("a light is written late", async () => {
    const got = await replay(onPi, { board: "virtual" })
    const lit = got.records.find(isLit)
    const late = got.records.map((each) => (each === lit ? { ...each, at: each.at + 20 } : each))
    expect(compareRuns(onPi, { ...got, records: late }, 0).differences).toMatchObject([
      { what: "time", where: "pin 22 (light) written 1" },
    ])
    expect(compareRuns(onPi, { ...got, records: late }, 20).differences).toEqual([])
  })

  test("a clip begins before its light: said, however large the tolerance", () => {
    const lit = onPi.records.find(isLit)
    const opened = onPi.records.find(isOpening)
    const records = onPi.records.filter((each) => each !== lit)
    if (lit && opened) records.splice(records.indexOf(opened) + 1, 0, { ...lit, at: opened.at })
    const { differences } = compareRuns(onPi, { ...onPi, records }, 60_000)
    expect(differences).toMatchObject([{ what: "recording light", expected: "on before it", got: "off" }])
  })

  test("a segment's bytes were lost on the way", () => {
    const lost = onPi.records.findLast(isSegment)
    const short = onPi.records.filter((each) => each !== lost)
    const { differences } = compareRuns(onPi, { ...onPi, records: short }, 0)
    expect(differences).toContainEqual(expect.objectContaining({ what: "segments" }))
  })
})

describe("firmware with a mistake in its source is caught", () => {
  const replayed = async (trace: Trace, path: string, from: string, to: string) => {
    const twin = await mutant<{ replay: typeof replay }>("harness/twin/replay.ts", { path, from, to })
    return compareRuns(trace, await twin.replay(trace, { board: "virtual" }), 0).differences
  }

  test("by its pictures' times", async () => {
    const [from, to] = ["unit.pts - unit.dts - Math", "unit.pts - unit.dts + 45 - Math"]
    const differences = await replayed(onVirtual, "firmware/media/muxer.ts", from, to)
    expect(new Set(differences.map(({ what }) => what))).toEqual(new Set(["presentation time", "more"]))
  })

  test("by a light that is not waited for", async () => {
    const [from, to] = ["await this.#io.driven(this.#pin)", "void this.#io.driven(this.#pin)"]
    const differences = await replayed(onPi, "firmware/pins/light.ts", from, to)
    expect(differences).toContainEqual(
      expect.objectContaining({ what: "time", where: '"clip opened, trigger motion"' }),
    )
  })
})

function isEdge(input: Input, pin: number): boolean {
  return input.what === "edge" && input.pin === pin
}

function isLit(record: TraceRecord): boolean {
  return record.what === "write" && record.name === "light" && record.value === 1
}

function isOpening(record: TraceRecord): boolean {
  return "text" in record && record.text.startsWith("clip opened")
}

/** One that came after the first clip was opened, with a picture of some size. */
function pieceInClip({ records }: Trace): TraceRecord | undefined {
  const from = records.findIndex(isOpening)
  return records.find((each, index) => index > from && each.what === "piece" && each.bytes.length > 300)
}

function isSegment(record: TraceRecord): boolean {
  return record.what === "segment"
}

/** In the second that begins there. */
function within({ at }: Input, from: number): boolean {
  return at >= from && at < from + 1_000
}

/** Away from anything that could look like a start code, before or after. */
function withOneByteChanged(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes)
  const at = copy.findIndex(
    (_, index) => index > 100 && copy.subarray(index - 3, index + 4).every((each) => each > 3 && each < 0x80),
  )
  expect(at).toBeGreaterThan(0)
  copy[at] = (copy[at] ?? 0) | 0x80
  return copy
}
