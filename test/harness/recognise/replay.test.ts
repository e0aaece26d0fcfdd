import { describe, expect, test } from "vitest"
import { parseConfig } from "../../../firmware/config.ts"
import type { Box, Detector, Frame } from "../../../firmware/ports.ts"
import { replayFilm } from "../../../harness/recognise/replay-film.ts"
import type { Moment } from "../../../harness/recognise/result.ts"

const [WIDTH, HEIGHT] = [160, 96]
const config = parseConfig()
const { signal } = new AbortController()

/** A grey room, and in it a white body from `left` on, where there is one. */
function picture(second: number, left: number | null): Frame {
  const luma = new Uint8Array(WIDTH * HEIGHT).fill(110)
  if (left !== null)
    for (let y = 30; y < 90; y++) luma.fill(220, y * WIDTH + left, y * WIDTH + Math.min(WIDTH, left + 24))
  return { at: second * 1_000, width: WIDTH, height: HEIGHT, luma }
}

async function* film(places: readonly (number | null)[]): AsyncGenerator<Frame> {
  for (const [second, left] of places.entries()) yield picture(second, left)
}

/** Sees the white body as what it is called. */
function seeing(label: Box["label"], score = 0.8): Detector & { looks: number } {
  return {
    looks: 0,
    async detect({ luma }) {
      this.looks++
      const row = luma.subarray(60 * WIDTH, 61 * WIDTH)
      const left = row.indexOf(220)
      const edges = { left: left / WIDTH, right: (row.lastIndexOf(220) + 1) / WIDTH, top: 0.3, bottom: 0.95 }
      return left < 0 ? [] : [{ label, score, ...edges }]
    },
  }
}

const EMPTY = Array.from({ length: 6 }, () => null)
const WALK = [10, 40, 70, 100, 130]
const replay = async (
  places: readonly (number | null)[],
  detector: Detector | null,
  settings = config,
): Promise<Awaited<ReturnType<typeof replayFilm>> & { seen: Frame[]; shown: Moment[] }> => {
  const seen: Frame[] = []
  const shown: Moment[] = []
  const note = async (frame: Frame, moment: Moment) => {
    seen.push(frame)
    shown.push(moment)
  }
  return { ...(await replayFilm(film(places), settings, detector, note, signal)), seen, shown }
}

describe("a film through a camera's recognition", () => {
  test("somebody who walks by is one event, from a second before to a second after", async () => {
    const { events, verdicts, pictures } = await replay([...EMPTY, ...WALK, ...EMPTY], seeing("person"))
    expect(events).toEqual([{ start: 5.5, end: 10.5, label: "person", by: "vote" }])
    expect(verdicts).toMatchObject([{ woken: 6, at: 7, keep: true, label: "person" }])
    expect(pictures).toBe(17)
  })

  test("who stands still stays one event, and who comes soon after is another", async () => {
    const stands = Array.from({ length: 12 }, () => 70)
    const places = [...EMPTY, 10, 40, ...stands, 130, null, null, null, null, null, ...WALK, ...EMPTY]
    const { events } = await replay(places, seeing("person"))
    expect(events.map(({ start }) => start)).toEqual([5.5, 25.5])
    for (const [index, left] of [20, 30].entries())
      expect(Math.abs((events[index]?.end ?? 0) - left - 1)).toBeLessThanOrEqual(1)
  })

  test("a camera asks no more once a clip is decided: then it is what moves that ends an event", async () => {
    const asking = [...EMPTY, ...WALK, ...EMPTY]
    const none = async () => undefined
    const { asked, verdicts } = await replayFilm(film(asking), config, seeing("person"), none, signal, false)
    expect([asked, verdicts.length]).toEqual([2, 1])
    expect((await replay(asking, seeing("person"))).asked).toBeGreaterThan(2)
  })

  test("what the detector does not know is dropped, and nothing is told of an empty room", async () => {
    const { events, verdicts } = await replay([...EMPTY, ...WALK, ...EMPTY], seeing("person", 0.2))
    expect(events).toEqual([])
    expect(new Set(verdicts.map(({ keep }) => keep))).toEqual(new Set([false]))
    expect((await replay([...EMPTY, ...EMPTY], seeing("person"))).verdicts).toEqual([])
  })

  test("without a model what moves is told, without a name", async () => {
    const { events } = await replay([...EMPTY, ...WALK, ...EMPTY], null)
    expect(events).toEqual([{ start: 5.5, end: 10.5, label: null, by: "motion" }])
  })

  test("in an empty room the detector is not asked", async () => {
    const detector = seeing("person")
    await replay([...EMPTY, ...EMPTY, ...EMPTY], detector)
    expect(detector.looks).toBe(0)
  })

  test("what lies under a mask reaches neither detector nor page", async () => {
    const masks = [
      [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
      ],
    ]
    const masked = parseConfig({ recognise: { masks } })
    const { seen, events } = await replay([...EMPTY, ...WALK, ...EMPTY], seeing("person"), masked)
    expect(events).toEqual([])
    for (const { luma } of seen) expect(luma.indexOf(220)).toBe(-1)
  })

  test("each stage's words are kept for the page", async () => {
    const { shown } = await replay([...EMPTY, ...WALK, ...EMPTY], seeing("vehicle"))
    expect(shown[7]).toMatchObject({ at: 7, boxes: [{ label: "vehicle", counts: true }] })
    expect(shown[7]?.medians?.vehicle).toBe(0.8)
    expect(shown[2]).toMatchObject({ boxes: null, motion: { kind: "still" } })
  })
})
