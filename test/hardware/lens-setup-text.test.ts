import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { encode } from "uqr"
import { describe, expect, test } from "vitest"
import { newSetupCode, setupText } from "../../firmware/control/pairing.ts"
import type { Frame } from "../../firmware/ports.ts"
import { lumaFrames } from "../../hardware/lens/luma.ts"
import { readSetupTextFrom } from "../../hardware/lens/setup-text.ts"
import { standInCamera } from "./stand-in-camera.ts"

const [WIDTH, HEIGHT] = [640, 480]
/** Enough for short texts, and read four times as fast. */
const SMALL = { width: 320, height: 240 }
const NEVER = new AbortController().signal

/** A text as a QR code, held before a camera: a little turned, not quite in focus, grey on grey, with noise. */
function picture(
  text: string,
  { inverted = false, turn = 0.1, width = WIDTH, height = HEIGHT } = {},
): Uint8Array {
  const { data, size } = encode(text, { border: 4 })
  const module = (380 * width) / WIDTH / size
  const luma = new Uint8Array(width * height)
  let noise = 7
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const dx = x - width / 2
      const dy = y - height / 2
      const column = Math.floor((dx * Math.cos(turn) + dy * Math.sin(turn)) / module + size / 2)
      const row = Math.floor((dy * Math.cos(turn) - dx * Math.sin(turn)) / module + size / 2)
      noise = (Math.imul(noise, 1_103_515_245) + 12_345) >>> 0
      const dark = (data[row]?.[column] ?? inverted) !== inverted
      luma[y * width + x] = (dark ? 60 : 190) + ((noise >>> 16) % 30)
    }
  return luma
}

async function* shown(...pictures: readonly Uint8Array[]): AsyncGenerator<Frame> {
  for (const luma of pictures) {
    const size = luma.length === SMALL.width * SMALL.height ? SMALL : { width: WIDTH, height: HEIGHT }
    yield { at: 0, ...size, luma }
  }
}

const pinned = setupText(newSetupCode({ name: "broker.of-a-household.example.org", pin: "ab".repeat(32) }))
const unpinned = setupText(newSetupCode({ name: "localhost", pin: null }))

describe("the setup text before the lens", () => {
  test.each([
    ["with a broker's key, on paper", pinned, {}],
    ["without one, in a small picture", unpinned, SMALL],
    ["light on dark, as on a terminal", pinned, { inverted: true }],
    ["upside down", pinned, { turn: Math.PI + 0.2 }],
  ])("is read %s", async (_what, text, how) => {
    expect(await readSetupTextFrom(shown(picture(text, how)), NEVER)).toBe(text)
  })

  test("is waited for: darkness and other codes are passed over", async () => {
    const dark = new Uint8Array(SMALL.width * SMALL.height)
    const frames = shown(
      dark,
      picture("https://example.org", SMALL),
      picture(`${unpinned}!`, SMALL),
      picture(pinned),
    )
    expect(await readSetupTextFrom(frames, NEVER)).toBe(pinned)
  })

  test("that never comes is null", async () => {
    expect(await readSetupTextFrom(shown(new Uint8Array(SMALL.width * SMALL.height).fill(128)), NEVER)).toBe(
      null,
    )
    expect(await readSetupTextFrom(shown(), NEVER)).toBe(null)
  })

  test("is not looked for when it is no longer wanted", async () => {
    expect(await readSetupTextFrom(shown(picture(pinned)), AbortSignal.abort())).toBe(null)
  })

  test.each(["OBSCURA:1:", "OBSCURA:2:00", "", "OBSCURA", "\0"])(
    "no malformed one is taken: %j",
    async (text) => {
      expect(await readSetupTextFrom(shown(picture(`${text} `, SMALL)), NEVER)).toBe(null)
    },
  )
})

describe("the camera's grey pictures", () => {
  test("are what it sees, and the camera has stopped when the text is read", async () => {
    const camera = standInCamera()
    const luma = join(camera.folder, "luma")
    writeFileSync(luma, picture(pinned))
    camera.env.STAND_IN_LUMA = luma
    expect(await readSetupTextFrom(lumaFrames(camera, NEVER), NEVER)).toBe(pinned)
    expect(camera.running()).toEqual([])
    expect(camera.calls().at(-1)?.argv.join(" ")).toBe(
      "--nopreview --timeout 0 --camera 0 --codec yuv420 --width 640 --height 480 --framerate 4 --output -",
    )
  })

  test("are whole, one after another in the same memory, which is wiped in the end", async () => {
    const camera = standInCamera()
    const luma = join(camera.folder, "luma")
    const seen = picture(unpinned)
    writeFileSync(luma, seen)
    camera.env.STAND_IN_LUMA = luma
    const memories: Uint8Array[] = []
    for await (const frame of lumaFrames(camera, NEVER)) {
      expect(Buffer.compare(frame.luma, seen)).toBe(0)
      memories.push(frame.luma)
      if (memories.length === 3) break
    }
    expect(new Set(memories).size).toBe(1)
    expect(memories[0]?.every((byte) => byte === 0)).toBe(true)
  })

  test("end when they are no longer wanted, and fail as the lens does", async () => {
    const camera = standInCamera()
    const stop = new AbortController()
    let frames = 0
    for await (const _frame of lumaFrames(camera, stop.signal)) if (++frames === 2) stop.abort()
    expect(camera.running()).toEqual([])
    camera.env.STAND_IN_MODES = "busy"
    await expect(readSetupTextFrom(lumaFrames(camera, NEVER), NEVER)).rejects.toMatchObject({
      kind: "unavailable",
      message: expect.stringMatching(/another program is using the camera/),
    })
  })

  test("without rpicam-vid: what to do instead", async () => {
    const camera = standInCamera()
    camera.env.PATH = "/nowhere"
    await expect(readSetupTextFrom(lumaFrames(camera, NEVER), NEVER)).rejects.toMatchObject({
      kind: "unavailable",
      message: expect.stringMatching(/pair --setup -/),
    })
  })
})
