import { execFileSync } from "node:child_process"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { KeyFrameDecoder } from "../../../firmware/ports.ts"
import type { ThreadedDecoder } from "../../../hardware/detector/key-frame-decoder.ts"
import { openRealDecoder } from "../../../harness/recognise/real-detector.ts"
import { loadScene } from "../../../simulator/footage.ts"
import { judge, root } from "../../support.ts"

const never = new AbortController().signal
const ffmpeg = judge("ffmpeg")

let decoder: ThreadedDecoder
beforeAll(async () => {
  decoder = await openRealDecoder()
})
afterAll(() => decoder.close())

/** The first access unit of a scene: its parameter sets and its key frame. */
async function keyFrameOf(scene: string): Promise<Buffer> {
  const bytes = await readFile(join(root, `simulator/scene/footage/${scene}.h264`))
  return bytes.subarray(0, bytes.indexOf(Buffer.from("00000141", "hex")))
}

describe("a key frame", () => {
  test("of a camera becomes a small picture, and the camera keeps its own bytes", async () => {
    const bytes = await keyFrameOf("day-person")
    const before = Buffer.from(bytes)
    const frame = await (decoder as KeyFrameDecoder).decode(bytes, 1_234, never)
    expect(frame).toMatchObject({ at: 1_234, width: 640, height: 360 })
    expect([frame.luma.length, frame.chroma?.blue.length, frame.chroma?.red.length]).toEqual([
      ...[640 * 360, 320 * 180, 320 * 180],
    ])
    expect(bytes.equals(before)).toBe(true)
    expect(new Set(frame.luma).size).toBeGreaterThan(50)
  })

  test("is the same picture that footage was drawn with", async () => {
    const { pictures } = await loadScene("day-person")
    const drawn = pictures[0]
    const { luma } = await decoder.decode(await keyFrameOf("day-person"), 0, never)
    const mean = (bytes: Uint8Array) => bytes.reduce((sum, byte) => sum + byte, 0) / bytes.length
    expect(Math.abs(mean(luma) - mean(drawn?.luma ?? new Uint8Array(1)))).toBeLessThan(8)
  })

  test.skipIf(!ffmpeg).each([
    ["High", ["-profile:v", "high"], "1920x1080", 360],
    ["Main", ["-profile:v", "main"], "720x576", 512],
    ["High, small and odd", ["-profile:v", "high"], "318x178", 178],
  ])("of profile %s is decoded", async (_name, profile, size, height) => {
    const words = [
      ...["-v", "error", "-f", "lavfi", "-i", `testsrc2=size=${size}:rate=1`, "-frames:v", "1"],
      ...["-c:v", "libx264", "-pix_fmt", "yuv420p", ...profile, "-f", "h264", "-"],
    ]
    const bytes = execFileSync(ffmpeg ?? "", words, { maxBuffer: 2 ** 24 })
    expect(await decoder.decode(bytes, 0, never)).toMatchObject({ height })
  })

  test.each<[string, (whole: Buffer) => Uint8Array]>([
    ["cut off", (whole) => whole.subarray(0, whole.length >> 1)],
    [
      "torn",
      (whole) => Buffer.from(whole.map((byte, at) => (at > 5_000 && at % 997 === 0 ? byte ^ 0x55 : byte))),
    ],
    ["without parameter sets", (whole) => whole.subarray(whole.indexOf(Buffer.from("000165", "hex")) - 2)],
    ["nothing but zeros", () => new Uint8Array(1_000)],
    ["empty", () => new Uint8Array(0)],
    ["something else", () => Buffer.from("hello, this is no picture")],
  ])("that is %s is a fault and counted, and the next is decoded", async (_name, harm) => {
    const whole = await keyFrameOf("night-cat")
    const before = decoder.damaged
    await expect(decoder.decode(harm(whole), 0, never)).rejects.toMatchObject({
      kind: "malformed",
      definite: true,
    })
    expect(decoder.damaged).toBe(before + 1)
    expect((await decoder.decode(whole, 7, never)).at).toBe(7)
  })

  test("nobody waits for is let go", async () => {
    const gone = new AbortController()
    const decoding = decoder.decode(await keyFrameOf("day-car"), 0, gone.signal)
    gone.abort()
    await expect(decoding).rejects.toMatchObject({ kind: "unavailable" })
  })
})
