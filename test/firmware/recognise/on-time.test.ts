import { describe, expect, onTestFinished, test } from "vitest"
import type { Board, Box, Detector } from "../../../firmware/ports.ts"
import { minutes, seconds, time } from "../../../harness/virtual/testing.ts"
import * as cameras from "../../../harness/virtual/virtual-camera.ts"
import { virtualClock } from "../../../simulator/clock.ts"
import { loadScene } from "../../../simulator/footage.ts"
import { footageFrames } from "../../../simulator/frames.ts"
import { type Mistake, mutant } from "../../mutants.ts"

type Cameras = Pick<typeof cameras, "openVirtualCamera">

const clock = virtualClock()
const EVERYWHERE: Box = { label: "person", score: 0.9, left: 0, top: 0, right: 1, bottom: 1 }

/** Takes `thinks` for each picture, and remembers when it was asked about which. */
function slow(thinks: number, boxes: readonly Box[] = [EVERYWHERE]) {
  const asked: { readonly now: number; readonly at: number }[] = []
  let busy = 0
  let most = 0
  const detector: Detector = {
    async detect({ at }) {
      asked.push({ now: clock.monotonic(), at })
      most = Math.max(most, ++busy)
      await clock.sleep(thinks)
      busy--
      return boxes
    },
  }
  return { detector, asked, most: () => most }
}

async function eyesWith(detector: Detector): Promise<Pick<Board, "frames" | "detector">> {
  const footage = await loadScene("day-person")
  // A courier enters the yard when the sensor feels them.
  const positionAt = (at: number) => ((((at - cameFrom.at) / 1_000 + COMES) % 10) + 10) % 10
  return { frames: footageFrames({ footage, positionAt, clock }), detector }
}

const COMES = 2
const cameFrom = { at: 0 }

interface Recorded {
  /** After each tenth of a second of an event, how many objects were safe and how many were listed. */
  readonly safe: readonly number[]
  readonly sent: readonly number[]
  readonly clips: readonly { readonly segments: number; readonly bytes: number }[]
}

/** Twenty-five seconds with somebody before the camera, as its owner has them. */
async function recordedWith({ openVirtualCamera }: Cameras, detector: Detector): Promise<Recorded> {
  const camera = await openVirtualCamera({ eyes: await eyesWith(detector) })
  onTestFinished(() => camera.close())
  const safe: number[] = []
  const sent: number[] = []
  const count = (event: string) => camera.lines.filter((line) => line.event === event).length
  cameFrom.at = clock.monotonic()
  camera.household.visitor.moves(true)
  for (let tenth = 0; tenth < 250; tenth++) {
    if (tenth === 150) camera.household.visitor.moves(false)
    await time.advance(100)
    safe.push(camera.lines.filter((line) => line.event === "object sealed" && line.kind === "segment").length)
    sent.push(count("manifest sent"))
  }
  await camera.advance(minutes(1))
  expect(camera.lines.filter(({ event }) => event === "fault")).toEqual([])
  const clips = await Promise.all(
    camera.delivered.map(async (clip) => {
      const film = await camera.open(clip)
      return { segments: clip.segments.length, bytes: film.length }
    }),
  )
  return { safe, sent, clips }
}

describe("while a detector thinks", () => {
  test("pre-roll and segments come as with one that answers at once, and are kept", async () => {
    const quick = await recordedWith(cameras, slow(0).detector)
    expect(quick.clips).toHaveLength(1)
    expect(quick.clips[0]?.segments).toBeGreaterThan(15)
    for (const thinks of [4_000, Number.MAX_SAFE_INTEGER]) {
      const late = await recordedWith(cameras, slow(thinks).detector)
      expect(late.safe).toEqual(quick.safe)
      expect(late.clips).toEqual(quick.clips)
    }
  })

  test("segments are held for no more than five seconds, then they go", async () => {
    const firstSent = async (from: Cameras) => {
      const { sent } = await recordedWith(from, slow(60_000).detector)
      const first = sent.findIndex((manifests) => manifests > 0)
      return first < 0 ? Number.POSITIVE_INFINITY : first * 100
    }
    expect(await firstSent(cameras)).toBeLessThanOrEqual(5_500)
    expect(await firstSent(cameras)).toBeGreaterThan(4_500)
    const mistake: Mistake = {
      path: "firmware/recognise/unless-aborted.ts",
      from: "const giveUp = () => resolve(null)",
      to: "const giveUp = () => undefined",
    }
    const patient = await mutant<Cameras>("harness/virtual/virtual-camera.ts", mistake)
    expect(await firstSent(patient)).not.toBeLessThanOrEqual(5_500)
  })

  test("it is asked about one picture at a time, the newest, and less often", async () => {
    const thinker = slow(1_700, [])
    await recordedWith(cameras, thinker.detector)
    expect(thinker.most()).toBe(1)
    expect(thinker.asked.length).toBeGreaterThan(3)
    for (const { now, at } of thinker.asked) expect(now - at).toBeLessThanOrEqual(1_000)
    for (const [i, { now }] of thinker.asked.entries())
      expect(now - (thinker.asked[i - 1]?.now ?? 0)).toBeGreaterThanOrEqual(1_700)
  })
})

describe("whatever is wrong with the eyes, the camera records, and says so once", () => {
  const frames = (source: NonNullable<Board["frames"]>["frames"]) => ({ frames: { frames: source } })
  const black = { width: 2, height: 2, luma: new Uint8Array(4) }

  test.each<readonly [string, Pick<Board, "frames" | "detector">, readonly string[]]>([
    [
      "a detector that throws",
      { detector: { detect: () => Promise.reject(new Error("out of memory")) } },
      ["out of memory"],
    ],
    [
      "a detector that answers rubbish",
      { detector: { detect: async () => [{}] as Box[] } },
      ["it gave a box"],
    ],
    [
      "frames that throw",
      frames(() => {
        throw new Error("no decoder")
      }),
      ["no decoder"],
    ],
    [
      "frames of no size",
      frames(async function* () {
        for (let at = 0; at < 3; at++) yield { at, width: 0, height: 0, luma: new Uint8Array() }
      }),
      ["a picture of 0x0"],
    ],
    [
      "frames that stand still in time",
      frames(async function* () {
        for (let i = 0; i < 3; i++) yield { at: 5, ...black }
      }),
      [],
    ],
    [
      "frames that never come, whatever is asked of them",
      frames(async function* () {
        await new Promise(() => undefined)
        yield { at: 1, ...black }
      }),
      [],
    ],
  ])("%s", async (_what, wrong, reasons) => {
    const camera = await cameras.openVirtualCamera({
      eyes: { ...(await eyesWith(slow(0).detector)), ...wrong },
    })
    onTestFinished(() => camera.close())
    for (let visit = 0; visit < 2; visit++) {
      cameFrom.at = clock.monotonic()
      await camera.walkBy(seconds(4))
      await camera.advance(minutes(1))
    }
    expect(camera.delivered).toHaveLength(2)
    const faults = camera.lines.flatMap((line) => (line.event === "fault" ? [line.reason] : []))
    expect(faults.map((reason, i) => reason.slice(0, reasons[i]?.length))).toEqual(reasons)
  })
})

describe("a camera says what it recognises by, and what it lacks", () => {
  test.each([
    ["none", "nothing", /pictures/],
    ["motion", "motion", /a model/],
    ["truth", "detector", null],
  ] as const)("with eyes %s", async (eyes, by, lacks) => {
    const camera = await cameras.openVirtualCamera({ eyes })
    onTestFinished(() => camera.close())
    const line = camera.lines.find(({ event }) => event === "recognition")
    expect(line).toMatchObject({ by })
    if (line?.event !== "recognition") throw new Error("no such line")
    if (lacks === null) expect(line.lacks).toBeNull()
    else expect(line.lacks).toMatch(lacks)
  })
})
