import { describe, expect, onTestFinished, test } from "vitest"
import { Ring } from "../../firmware/media/ring.ts"
import type { Frame, Frames, KeyFrameDecoder } from "../../firmware/ports.ts"
import { keyFramesOf } from "../../firmware/recognise/key-frames.ts"
import { frameFlaw } from "../../firmware/recognise/recognise.ts"
import { time } from "../../harness/virtual/testing.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { loadScene } from "../../simulator/footage.ts"
import { footageFrames } from "../../simulator/frames.ts"
import { VirtualLens } from "../../simulator/lens.ts"
import { nalSpans } from "../../simulator/nals.ts"
import { type Mistake, mutant } from "../mutants.ts"

const clock = virtualClock()

interface FramesUnderTest {
  readonly frames: Frames
  /** How often anything was drawn or decoded. */
  readonly made: () => number
}

type Made = Pick<typeof import("../../firmware/recognise/key-frames.ts"), "keyFramesOf">

/** Key frames of a lens that has run for twelve seconds, and goes on. */
async function ofKeyFrames({ keyFramesOf: make }: Made = { keyFramesOf }): Promise<FramesUnderTest> {
  const footage = await loadScene("day-dog")
  const ring = new Ring({ duration: 5_000, bytesMax: 2 ** 24, framesPerSecond: 15, onFlaw: () => undefined })
  const lens = new VirtualLens({ footage, clock, camera: 1, canary: "canary-1" })
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  void (async () => {
    for await (const piece of lens.pieces(stop.signal)) ring.push(piece)
  })()
  await time.advance(12_000)
  let made = 0
  const decoder: KeyFrameDecoder = {
    async decode(keyFrame, at) {
      made++
      const types = nalSpans(keyFrame).map(({ begin }) => (keyFrame[begin] ?? 0) & 31)
      expect(types.slice(0, 2)).toEqual([7, 8]) // parameter sets come first
      expect(types.at(-1)).toBe(5) // and then the picture
      return { at, width: 2, height: 2, luma: new Uint8Array(4) }
    },
  }
  return { frames: make(ring, decoder, clock), made: () => made }
}

async function ofFootage(): Promise<FramesUnderTest> {
  await time.advance(12_000)
  let made = 0
  const positionAt = (at: number) => {
    made++
    return (at / 1_000) % 10
  }
  const frames = footageFrames({ footage: await loadScene("day-dog"), positionAt, clock })
  return { frames, made: () => made }
}

const MAKERS = { "key frames of the ring": ofKeyFrames, "a footage's own": ofFootage }

/** Reads for so long of virtual time, taking `each` for every frame. */
async function read(frames: Frames, from: number, duration: number, each = 0) {
  const stop = new AbortController()
  const got: (Frame & { readonly when: number })[] = []
  const reading = (async () => {
    for await (const frame of frames.frames(from, stop.signal)) {
      got.push({ ...frame, when: clock.monotonic() })
      if (each > 0) await clock.sleep(each)
    }
  })()
  await time.advance(duration)
  stop.abort()
  await time.settle(reading, 60_000)
  return got
}

async function slowReaderIsNotBehind(make: () => Promise<FramesUnderTest>): Promise<void> {
  const { frames } = await make()
  const asked = clock.monotonic()
  for (const { at, when } of await read(frames, asked, 20_000, 2_600))
    expect(when - at).toBeLessThanOrEqual(1_050)
}

describe.each(Object.entries(MAKERS))("Frames: %s", (_name, make) => {
  test("give about one a second, in order, each whole", async () => {
    const { frames } = await make()
    const got = await read(frames, clock.monotonic(), 10_000)
    expect(got.length).toBeGreaterThanOrEqual(9)
    expect(got.length).toBeLessThanOrEqual(11)
    for (const [i, frame] of got.entries()) {
      expect(frameFlaw(frame)).toBeNull()
      expect(frame.at).toBeGreaterThan(got[i - 1]?.at ?? Number.NEGATIVE_INFINITY)
      expect(frame.at).toBeLessThanOrEqual(frame.when)
    }
  })

  test("give what was seen before at once", async () => {
    const { frames } = await make()
    const now = clock.monotonic()
    const before = (await read(frames, now - 4_000, 1_500)).filter(({ at }) => at <= now)
    expect(before.length).toBeGreaterThanOrEqual(4)
    for (const { when } of before) expect(when - now).toBeLessThan(50)
  })

  test("cost nothing while nobody reads", async () => {
    const { frames, made } = await make()
    await time.advance(10_000)
    expect(made()).toBe(0)
    await read(frames, clock.monotonic(), 3_000)
    const after = made()
    await time.advance(10_000)
    expect(made()).toBe(after)
  })

  test("end without a word when nobody wants more, even before the first", async () => {
    const { frames } = await make()
    const stop = new AbortController()
    stop.abort()
    const ended = (async () => {
      for await (const _ of frames.frames(clock.monotonic() + 500, stop.signal)) return "one"
      return "none"
    })()
    expect(await time.settle(ended, 5_000)).toBe("none")
  })

  test("give who reads slowly the newest", () => slowReaderIsNotBehind(make))
})

test("frames that queue up for a slow reader are found out", async () => {
  const mistake: Mistake = {
    path: "firmware/recognise/key-frames.ts",
    from: "this.#units.filter(({ at }) => at <= this.#asked)",
    to: "this.#units",
  }
  const bent = await mutant<Made>("firmware/recognise/key-frames.ts", mistake)
  await expect(slowReaderIsNotBehind(() => ofKeyFrames(bent))).rejects.toMatchObject({
    name: "AssertionError",
  })
})
