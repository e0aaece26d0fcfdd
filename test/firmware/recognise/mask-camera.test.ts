import { execFileSync } from "node:child_process"
import { describe, expect, onTestFinished, test } from "vitest"
import type { Frame } from "../../../firmware/ports.ts"
import { minutes, seconds } from "../../../harness/virtual/testing.ts"
import * as cameras from "../../../harness/virtual/virtual-camera.ts"
import { virtualClock } from "../../../simulator/clock.ts"
import { type Mistake, mutant } from "../../mutants.ts"
import { judge } from "../../support.ts"

type Cameras = Pick<typeof cameras, "openVirtualCamera">

const MASKS: [number, number][][] = [
  [
    [0, 0],
    [0.5, 0],
    [0.5, 1],
    [0, 1],
  ],
]
const [WIDTH, HEIGHT, BRIGHT] = [64, 36, 201]
const clock = virtualClock()

/** A white wall that darkens when somebody comes, and a detector that keeps what it is given. */
async function visited(
  { openVirtualCamera }: Cameras,
  { frames = true, bell = false } = {},
): Promise<{ readonly seen: readonly Frame[]; readonly thumbnail: Uint8Array }> {
  const seen: Frame[] = []
  let came = Number.POSITIVE_INFINITY
  const wall = {
    async *frames(from: number, signal: AbortSignal) {
      for (let at = Math.max(0, from); !signal.aborted; at += 1_000) {
        if (at > clock.monotonic()) await clock.sleep(at - clock.monotonic(), signal)
        const luma = new Uint8Array(WIDTH * HEIGHT).fill(at < came ? BRIGHT : BRIGHT - 60)
        yield { at, width: WIDTH, height: HEIGHT, luma }
      }
    },
  }
  const detector = {
    async detect(frame: Frame) {
      seen.push(frame)
      return [{ label: "person" as const, score: 0.9, left: 0.6, top: 0.2, right: 0.8, bottom: 0.9 }]
    },
  }
  const camera = await openVirtualCamera({
    config: { recognise: { masks: MASKS } },
    eyes: frames ? { frames: wall, detector } : "none",
  })
  onTestFinished(() => camera.close())
  came = clock.monotonic()
  if (bell) await camera.pressBell()
  else await camera.walkBy(seconds(4))
  await camera.advance(minutes(1))
  const [clip] = camera.delivered
  if (!clip?.thumbnail) throw new Error("no thumbnail")
  const vault = camera.household.vault()
  if (!vault) throw new Error("no vault")
  return { seen, thumbnail: await vault.open(clip.thumbnail) }
}

/** Nothing of the left half is in what the detector gets. */
async function detectorIsSpared(from: Cameras): Promise<void> {
  const { seen } = await visited(from)
  expect(seen.length).toBeGreaterThan(0)
  for (const { luma } of seen)
    for (let at = 0; at < luma.length; at++) if (at % WIDTH < WIDTH / 2) expect(luma[at]).toBe(16)
  expect(seen.some(({ luma }) => (luma[WIDTH - 1] ?? 0) > 100)).toBe(true)
}

/** Luma of the one picture in `mp4`, as a decoder that is not ours shows it. */
function decoded(mp4: Uint8Array): Buffer {
  const args = ["-v", "error", "-i", "-", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]
  const planes = execFileSync("ffmpeg", args, { input: mp4 })
  return planes.subarray(0, (planes.length * 2) / 3)
}

async function thumbnailIsCovered(from: Cameras, how = {}): Promise<void> {
  const { thumbnail } = await visited(from, how)
  const picture = decoded(thumbnail)
  expect(picture).toHaveLength(WIDTH * HEIGHT)
  expect(picture.filter((_, at) => at % WIDTH < WIDTH / 2).every((luma) => luma === 16)).toBe(true)
  expect(picture[WIDTH - 1]).toBeGreaterThan(100)
}

const MISTAKES: Readonly<Record<string, Mistake>> = {
  "does not mask what its detector sees": {
    path: "firmware/recognise/eyes.ts",
    from: "const shown = this.#masks.apply(frame)",
    to: "const shown = frame",
  },
  "masks the other side": {
    path: "firmware/recognise/mask.ts",
    from: "if (masked[at] === 1) copy[at] = paint",
    to: "if (masked[at] !== 1) copy[at] = paint",
  },
}

describe("what is under a privacy mask", () => {
  test("does not reach the detector", () => detectorIsSpared(cameras))

  test.each(Object.entries(MISTAKES))(
    "of a camera that %s reaches it, and that is found out",
    async (_, mistake) => {
      const bent = await mutant<Cameras>("harness/virtual/virtual-camera.ts", mistake)
      await expect(detectorIsSpared(bent)).rejects.toMatchObject({ name: "AssertionError" })
    },
  )

  test.skipIf(judge("ffmpeg") === null)("is black in the thumbnail, of a visit and of a bell", async () => {
    await thumbnailIsCovered(cameras)
    await thumbnailIsCovered(cameras, { bell: true })
  })

  test.skipIf(judge("ffmpeg") === null)(
    "of a camera whose thumbnail is the lens's picture is found out",
    async () => {
      const bent = await mutant<Cameras>("harness/virtual/virtual-camera.ts", {
        path: "firmware/recorder.ts",
        from: "config.recognise.masks.length > 0",
        to: "config.recognise.masks.length > 99",
      })
      await expect(thumbnailIsCovered(bent)).rejects.toMatchObject({ name: "AssertionError" })
    },
  )

  test.skipIf(judge("ffmpeg") === null)(
    "is black, and so is all, where a camera has no frames to mask",
    async () => {
      const { thumbnail } = await visited(cameras, { frames: false })
      expect(new Set(decoded(thumbnail))).toEqual(new Set([16]))
    },
  )
})
