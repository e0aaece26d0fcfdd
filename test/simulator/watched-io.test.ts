import { expect, onTestFinished, test } from "vitest"
import type { Piece } from "../../firmware/ports.ts"
import { minutes, seconds, time } from "../../harness/virtual/testing.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { loadScene } from "../../simulator/footage.ts"
import { VirtualLens } from "../../simulator/lens.ts"
import { WatchedIo } from "../../simulator/watched-io.ts"

const LOOK_BACK = seconds(5)
const MOTION = 17
const LIGHT = 22

/** What a lens gave, key frames alone, by when it says it arrived and when it came. */
async function watch(rests: boolean) {
  const clock = virtualClock()
  const io = new WatchedIo(clock, LOOK_BACK)
  io.pinMode(LIGHT, 1)
  const footage = await loadScene("quiet-day")
  const shot = { footage, camera: 1, canary: "canary" }
  const lens = new VirtualLens({ ...shot, clock, ...(rests ? { rest: io } : {}) })
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const given: { readonly piece: Piece; readonly cameAt: number }[] = []
  const reading = (async () => {
    for await (const piece of lens.pieces(stop.signal))
      if (piece.startsKeyFrame) given.push({ piece, cameAt: clock.monotonic() })
  })()
  return { io, lens, given, stop, reading }
}

test("a lens that rests gives nothing while no pin is high, and makes up for it at the first edge", async () => {
  const { io, lens, given } = await watch(true)
  await time.advance(minutes(10))
  expect(given).toEqual([])
  io.set(MOTION, 1)
  await time.advance(0)
  const now = time.now
  expect(given.length).toBeGreaterThanOrEqual(LOOK_BACK / 1_000)
  expect(given.every(({ cameAt }) => cameAt === now)).toBe(true)
  expect(now - (given.at(-1)?.piece.at ?? 0)).toBeLessThan(1_000)
  expect(now - (given[0]?.piece.at ?? 0)).toBeGreaterThanOrEqual(LOOK_BACK - 1_000)
  expect(lens.groups).toBe(600)
})

test("while a pin is high it gives every group when it is due, and then exactly what a restless one gives", async () => {
  await time.advance(1_000 - (time.now % 1_000))
  const [rested, restless] = [await watch(true), await watch(false)]
  for (const [after, level] of [
    [70_300, 1],
    [12_000, 0],
    [400_000, 1],
    [3_000, 0],
  ] as const) {
    await time.advance(after)
    for (const { io } of [rested, restless]) io.set(MOTION, level)
    await time.advance(0)
    const latest = ({ given }: typeof rested) => given.slice(-5).map(({ piece }) => [piece.at, piece.bytes])
    expect(latest(rested)).toEqual(latest(restless))
    expect(rested.lens.groups).toBe(restless.lens.groups)
  }
})

test("a light is driven only once the lens has caught up, however it came on", async () => {
  const { io, given } = await watch(true)
  await time.advance(minutes(1))
  io.digitalWrite(LIGHT, 1)
  await time.settle(io.driven(LIGHT), 1)
  expect(given.length).toBeGreaterThan(0)
})

test("a lens that rests ends when it is told to", async () => {
  const { stop, reading } = await watch(true)
  await time.advance(minutes(1))
  stop.abort()
  await time.settle(reading, 1)
})
