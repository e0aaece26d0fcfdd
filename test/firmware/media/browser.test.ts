import { type Browser, chromium } from "playwright-core"
import { afterAll, beforeAll, expect, test, vi } from "vitest"
import { AccessUnitParser } from "../../../firmware/media/annexb.ts"
import { codecOf } from "../../../firmware/media/initialization.ts"
import { segmentsOf } from "../../../firmware/media/segments.ts"
import { judge } from "../../support.ts"
import { footage } from "./film.ts"

vi.setConfig({ testTimeout: 60_000 })

const executablePath = judge("chromium")
let browser: Browser | null = null
beforeAll(async () => {
  if (executablePath !== null)
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"], headless: true })
}, 60_000)
afterAll(() => browser?.close())

interface Played {
  readonly ranges: readonly (readonly [number, number])[]
  readonly duration: number
  readonly width: number
  readonly frames: number
}

test.for(["car-detection.mp4", "one-by-one-person-detection.mp4"])(
  "a browser plays segments of %s as they come, from 0 to the end",
  async (name, { skip }) => {
    const real = await footage(name)
    if (real === null || browser === null) return skip("footage or chromium is missing")
    const count = real.film.units.findLastIndex((unit) => unit.keyFrame && unit.pts < 10 * 90_000)
    const parser = new AccessUnitParser({ framesPerSecond: 10, onFlaw: () => undefined })
    const units = async function* () {
      for (const [i, bytes] of real.stream.slice(0, count).entries())
        yield* parser.push({ bytes, at: i, timing: real.film.units.slice(i, i + 1), endsUnit: true })
    }
    const segments: string[] = []
    let codec = ""
    let ticks = 0
    const options = {
      segmentMin: 1_000,
      clipMax: 600_000,
      pad: (bytes: number) => bytes + 1_000,
      until: () => false,
    }
    const watched = async function* () {
      for await (const unit of units()) {
        codec = codecOf(unit.sets)
        yield unit
      }
    }
    for await (const segment of segmentsOf(watched(), options)) {
      segments.push(Buffer.from(segment.bytes).toString("base64"))
      ticks += segment.duration
    }
    const page = await browser.newPage()
    const played = (await page.evaluate(
      `(${PLAY})(${JSON.stringify({ segments, type: `video/mp4; codecs="${codec}"` })})`,
    )) as Played
    expect(played.ranges).toHaveLength(1)
    expect(played.ranges[0]?.[0]).toBe(0)
    expect(played.ranges[0]?.[1]).toBeCloseTo(ticks / 90_000, 2)
    expect(played.duration).toBeCloseTo(ticks / 90_000, 2)
    expect(played.width).toBe(768)
    expect(played.frames).toBeGreaterThan(0)
    await page.close()
  },
)

/** Runs in the page. */
const PLAY = `async ({ segments, type }) => {
  const once = (target, event) => new Promise((done, fail) => {
    target.addEventListener(event, done, { once: true })
    target.addEventListener("error", () => fail(new Error("media error")), { once: true })
  })
  const video = document.createElement("video")
  video.muted = true
  const source = new MediaSource()
  video.src = URL.createObjectURL(source)
  await once(source, "sourceopen")
  const buffer = source.addSourceBuffer(type)
  for (const segment of segments) {
    buffer.appendBuffer(Uint8Array.from(atob(segment), (c) => c.charCodeAt(0)))
    await once(buffer, "updateend")
  }
  source.endOfStream()
  const drawn = new Promise((done) => video.requestVideoFrameCallback(done))
  await video.play()
  await drawn
  const ranges = Array.from({ length: video.buffered.length }, (_, i) => [video.buffered.start(i), video.buffered.end(i)])
  return { ranges, duration: source.duration, width: video.videoWidth, frames: video.getVideoPlaybackQuality().totalVideoFrames }
}`
