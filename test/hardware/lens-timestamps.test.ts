import { writeFileSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { AccessUnitParser } from "../../firmware/media/annexb.ts"
import type { Piece } from "../../firmware/ports.ts"
import { chooseLens } from "../../hardware/lens/choose.ts"
import { TimestampPairing } from "../../hardware/lens/timestamp-pairing.ts"
import { annexB, hexOf, type Picture, pictures } from "../firmware/media/synthetic.ts"
import { mutant } from "../mutants.ts"
import { sourceUnits, spelled, standInCamera, takeUnits } from "./stand-in-camera.ts"

/** One thing that reaches the camera's process: bytes of the stream, or the line of a picture. */
type Event = { readonly bytes: Uint8Array } | { readonly line: string }

/** Picture `index` was taken after `index` tenths of a second, and a bit. */
const timeOf = (index: number) => `${index * 100}.${String(index % 1_000).padStart(3, "0")}`
const ticksAt = (index: number) => Math.round(Number(timeOf(index)) * 90)

/** What came of `events`: pieces, and why it gave up. A millisecond passes with each. */
function paired(events: readonly Event[], Pairing = TimestampPairing, step = 1) {
  const pieces: Piece[] = []
  const reasons: string[] = []
  const pairing = new Pairing(
    (piece) => pieces.push(piece),
    (why) => reasons.push(why),
  )
  let at = 0
  for (const event of events) {
    at += step
    if ("bytes" in event) pairing.bytes(event.bytes, at)
    else pairing.line(event.line)
  }
  pairing.end()
  return { pieces, reasons }
}

/** Each picture's bytes, split by `cuts`, then its line, read up to `late` reads afterwards. */
function eventsOf(all: readonly Picture[], cuts: () => number, late: () => number): Event[] {
  const events: Event[] = [{ line: "# timecode format v2" }]
  const waiting: { line: string; reads: number }[] = []
  const read = (event: Event) => {
    events.push(event)
    for (const each of waiting) each.reads--
    for (let first = waiting[0]; first && first.reads <= 0; first = waiting[0]) {
      waiting.shift()
      events.push({ line: first.line })
    }
  }
  for (const [index, { nals }] of all.entries()) {
    const unit = annexB(nals, index)
    for (let from = 0; from < unit.length; ) {
      const to = Math.min(unit.length, from + cuts())
      read({ bytes: unit.subarray(from, to) })
      from = to
    }
    waiting.push({ line: timeOf(index), reads: late() })
  }
  return [...events, ...waiting.map(({ line }) => ({ line }))]
}

function parsed(pieces: readonly Piece[]) {
  const parser = new AccessUnitParser({ framesPerSecond: 10, onFlaw: () => expect.unreachable() })
  return [...pieces.flatMap((piece) => parser.push(piece)), ...parser.flush()]
}

const streams = fc.record({
  slices: fc.constantFrom(1, 4),
  groups: fc.integer({ min: 1, max: 4 }),
  sliceBytes: fc.integer({ min: 1, max: 60 }),
  cuts: fc.infiniteStream(fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 400 }))),
  lateness: fc.infiniteStream(fc.integer({ min: 0, max: 5 })),
})

describe("pictures and their times", () => {
  test("are matched however the stream is split, and however late a line is read", () => {
    fc.assert(
      fc.property(streams, ({ cuts, lateness, ...shape }) => {
        const all = pictures({ ...shape, perGroup: 6 })
        const next = <T>(values: Iterator<T>) => values.next().value as T
        const events = eventsOf(
          all,
          () => next(cuts),
          () => next(lateness),
        )
        const { pieces, reasons } = paired(events)
        const given = events.flatMap((event) => ("bytes" in event ? [event.bytes] : []))
        expect(pieces.map(({ bytes }) => bytes)).toEqual(given)
        expect(reasons).toEqual([])
        const units = parsed(pieces)
        expect(hexOf(units)).toEqual(hexOf(all))
        expect(units.map(({ pts, dts }) => [pts, dts])).toEqual(
          all.map((_, index) => [ticksAt(index), ticksAt(index)]),
        )
      }),
      { numRuns: 100 },
    )
  })

  test("of which one cannot be told go on without, once it is noticed, in order and whole", () => {
    const all = pictures({ groups: 300, perGroup: 10 })
    const bytes = (index: number): Event => ({ bytes: annexB(all[index]?.nals ?? []) })
    const flawed: Readonly<Record<string, (index: number) => Event[]>> = {
      // Parameter sets that an encoder hands over as a picture of their own.
      "there are more times than pictures": (index) => [
        bytes(index),
        ...(index % 10 === 0 ? [{ line: timeOf(index) }] : []),
        { line: timeOf(index) },
      ],
      "a picture's time did not come": (index) =>
        index < 50 ? [bytes(index), { line: timeOf(index) }] : [bytes(index)],
    }
    for (const [reason, events] of Object.entries(flawed)) {
      const { pieces, reasons } = paired(all.flatMap((_, index) => events(index)))
      expect(reasons).toEqual([reason])
      expect(pieces.length).toBe(all.length)
      expect(hexOf(parsed(pieces))).toEqual(hexOf(all))
      expect(pieces.at(-1)).not.toHaveProperty("timing")
    }
  })

  test("are not given up because this process was busy", () => {
    const all = pictures({ groups: 20, perGroup: 10 })
    // All bytes that came meanwhile are read first, then all lines, a minute later.
    const events = Array.from({ length: 20 }, (_, group) => group * 10).flatMap((first): Event[] => [
      ...all.slice(first, first + 10).map(({ nals }) => ({ bytes: annexB(nals) })),
      ...all.slice(first, first + 10).map((_, index) => ({ line: timeOf(first + index) })),
    ])
    const { pieces, reasons } = paired(events, TimestampPairing, 60)
    expect(reasons).toEqual([])
    expect(parsed(pieces).map(({ dts }) => dts)).toEqual(all.map((_, index) => ticksAt(index)))
  })

  test("which a mutant fails that never notices", async () => {
    const mistake = {
      path: "hardware/lens/timestamp-pairing.ts",
      from: "this.#awake - this.#earlySince > EARLY_MAX",
      to: "false",
    }
    const { TimestampPairing: Mutant } = await mutant<{ TimestampPairing: typeof TimestampPairing }>(
      "hardware/lens/timestamp-pairing.ts",
      mistake,
    )
    const all = pictures({ groups: 300, perGroup: 10 })
    const doubled = all.flatMap(({ nals }, index): Event[] => [
      { bytes: annexB(nals) },
      { line: timeOf(index) },
      { line: timeOf(index) },
    ])
    expect(paired(doubled, Mutant).reasons).toEqual([])
    expect(paired(doubled).reasons).toEqual(["there are more times than pictures"])
  })

  test.each(["", "# timecode format v2", "1e9", "-5", "NaN", "12.5.1", "0x10", " 7", "\0"])(
    "a line that is no time is skipped: %j",
    (line) => {
      const [only] = pictures({ groups: 1, perGroup: 1 })
      const events: Event[] = [{ line }, { bytes: annexB(only?.nals ?? []) }, { line }, { line: "40.000" }]
      expect(paired(events).pieces[0]?.timing).toEqual([{ pts: 3_600, dts: 3_600 }])
    },
  )
})

describe("rpicam-vid", () => {
  test("says when each picture was taken, and pieces bring that along", async () => {
    const camera = standInCamera()
    const { pieces, units } = await takeUnits(await chooseLens(camera), 100)
    expect(units.map(({ nals }) => spelled(nals))).toEqual(await sourceUnits(100))
    expect(units.map(({ pts, dts }) => [pts, dts])).toEqual(
      units.map((_, index) => [Math.round(index * 6_000), Math.round(index * 6_000)]),
    )
    expect(pieces.every(({ timing }) => timing !== undefined)).toBe(true)
  })

  test("with four slices a picture does too", async () => {
    const camera = standInCamera()
    const all = pictures({ groups: 2, perGroup: 15, slices: 4, sliceBytes: 400 })
    const footage = join(camera.folder, "four-slices.h264")
    writeFileSync(footage, Buffer.concat(all.map(({ nals }) => annexB(nals))))
    camera.env.STAND_IN_FOOTAGE = footage
    const { units } = await takeUnits(await chooseLens(camera), 30)
    expect(hexOf(units)).toEqual(hexOf(all))
    expect(units.map(({ dts }) => dts)).toEqual(units.map((_, index) => index * 6_000))
  })

  test("whose times do not fit its pictures is not asked again; pictures lose nothing", async () => {
    const camera = standInCamera()
    camera.env.STAND_IN_MODES = "headers-apart"
    // Its two seconds are a fifth of one, some sixty pictures.
    const clock = { ...camera.clock, monotonic: () => camera.clock.monotonic() * 10 }
    const lens = await chooseLens({ ...camera, clock })
    const { units } = await takeUnits(lens, 300)
    expect(units.map(({ nals }) => spelled(nals))).toEqual(await sourceUnits(300))
    expect(camera.lines.filter(({ event }) => event === "lens warning")).toEqual([
      {
        event: "lens warning",
        reason:
          "no timestamps of rpicam-vid from here on, the nominal frame rate counts: there are more times than pictures",
      },
    ])
    await takeUnits(lens, 2)
    const asked = camera.calls().map(({ argv }) => argv.includes("--save-pts"))
    expect(asked).toEqual([false, true, false])
  })

  test("without a pipe to tell it through gives pictures all the same", async () => {
    const camera = standInCamera()
    writeFileSync(camera.runtimeDirectory, "a file where the folder should be")
    const lens = await chooseLens(camera)
    const { pieces, units } = await takeUnits(lens, 3)
    expect(units.length).toBe(3)
    expect(pieces.every(({ timing }) => timing === undefined)).toBe(true)
    expect(camera.lines.at(-1)).toMatchObject({
      event: "lens warning",
      reason: expect.stringMatching(/nominal/),
    })
  })
})
