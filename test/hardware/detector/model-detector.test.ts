import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { LogLine } from "../../../firmware/log.ts"
import type { Frame } from "../../../firmware/ports.ts"
import { MiB } from "../../../firmware/units.ts"
import { processClock } from "../../../hardware/clock.ts"
import { ModelDetector } from "../../../hardware/detector/model-detector.ts"
import { openSession } from "../../../hardware/detector/model-session.ts"
import { openRealDetector } from "../../../harness/recognise/real-detector.ts"
import { MODEL_THREAD, wasmFile } from "../../../harness/recognise/threads.ts"
import { sharedData } from "../../support.ts"
import { tinyOnnx } from "../../tiny-onnx.ts"

const never = new AbortController().signal
const YOLOX = sharedData("models/yolox_nano.onnx")

let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-model-test-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function fileOf(name: string, bytes: Uint8Array): Promise<string> {
  await writeFile(join(folder, name), bytes)
  return join(folder, name)
}

const GREY: Frame = { at: 0, width: 64, height: 64, luma: new Uint8Array(64 * 64).fill(128) }

describe("a model file", () => {
  // No file of a real NanoDet is here: this one sees the same person in every picture.
  test("of a NanoDet is known by its shapes, runs, and its numbers become boxes", async () => {
    const values = new Float32Array(84 * 112)
    values[(3 * 8 + 4) * 112] = 0.75
    const model = await fileOf(
      "nanodet.onnx",
      tinyOnnx({ input: [1, 3, 64, 64], outputs: [{ dims: [1, 84, 112], values }] }),
    )
    const lines: LogLine[] = []
    const detector = await openRealDetector({ model, log: { write: (line) => lines.push(line) } })
    expect(await detector.detect(GREY, never)).toMatchObject([{ label: "person", score: 0.75, left: 8 / 64 }])
    expect(lines).toMatchObject([{ event: "model ready", model: "nanodet.onnx", family: "NanoDet" }])
    expect(detector.facts).toMatchObject({ width: 64, height: 64 })
    expect(detector.pace).toMatchObject({ frames: 1 })
    for (let i = 0; i < 6; i++) await detector.detect(GREY, never)
    expect(lines.slice(1)).toMatchObject([{ event: "model pace", pictures: 5 }])
    await detector.close()
  })

  const otherwise = (input: number[]) =>
    tinyOnnx({ input, outputs: [{ dims: [1, 10], values: new Float32Array(10) }] })

  test.each([
    { name: "empty", bytes: Buffer.alloc(0), kind: "malformed", says: "is empty" },
    {
      name: "a picture",
      bytes: Buffer.from("ffd8ffe0", "hex"),
      kind: "malformed",
      says: "it is no ONNX model",
    },
    {
      ...{ name: "of another family", bytes: otherwise([1, 3, 64, 64]), kind: "unsupported" },
      says: "it gives 1 x 10; of pictures of 64 x 64 a YOLOX",
    },
    {
      ...{ name: "of another input", bytes: otherwise([1, 64]), kind: "unsupported" },
      says: "it takes 1 x 64; a YOLOX or NanoDet takes one picture",
    },
  ])(
    "that is $name is refused with one line that begins with its path",
    async ({ name, bytes, kind, says }) => {
      const model = await fileOf(`${name}.onnx`, bytes)
      const opening = openRealDetector({ model })
      await expect(opening).rejects.toMatchObject({ kind, definite: true })
      await expect(opening).rejects.toThrow(`${model}: ${says}`)
    },
  )

  test.skipIf(!YOLOX)("that was cut off, or is not what was installed, is refused", async () => {
    const whole = await readFile(YOLOX ?? "")
    const model = await fileOf("cut.onnx", whole.subarray(0, whole.length >> 1))
    await expect(openRealDetector({ model })).rejects.toMatchObject({ kind: "malformed" })
    await expect(openRealDetector({ model, sha256: "0".repeat(64) })).rejects.toMatchObject({
      kind: "tampered",
    })
    await expect(openRealDetector({ model: join(folder, "away.onnx") })).rejects.toMatchObject({
      kind: "usage",
    })
  })
})

test.skipIf(!YOLOX)("it thinks beside the camera: its event loop turns on meanwhile", async () => {
  const detector = await openRealDetector({ model: YOLOX ?? "" })
  const luma = Uint8Array.from({ length: 640 * 360 }, (_, i) => (i * 31) % 256)
  let turns = 0
  const turning = setInterval(() => turns++)
  for (let i = 0; i < 3; i++) await detector.detect({ at: i, width: 640, height: 360, luma }, never)
  clearInterval(turning)
  // Done in this thread, there would be one between two pictures.
  expect(turns).toBeGreaterThan(10)
  await detector.close()
})

test("without memory for it the camera is told so, and it is tried again later", async () => {
  const lines: LogLine[] = []
  let available = 100 * MiB
  let ahead = 0
  const real = processClock()
  const clock = { ...real, monotonic: () => real.monotonic() + ahead, after: real.after, sleep: real.sleep }
  const values = new Float32Array(84 * 112)
  const model = await fileOf(
    "later.onnx",
    tinyOnnx({ input: [1, 3, 64, 64], outputs: [{ dims: [1, 84, 112], values }] }),
  )
  const detector = new ModelDetector({
    ...{
      model,
      clock,
      log: { write: (line) => lines.push(line) },
      program: MODEL_THREAD,
      wasmFile: wasmFile(),
    },
    availableMemory: () => available,
  })
  const message = "there is no memory for the model: it needs 224 MiB, and 100 are free"
  await expect(detector.open()).rejects.toMatchObject({ kind: "unavailable", definite: false, message })
  expect(lines).toMatchObject([{ event: "helper restarted", helper: "detector", reason: message }])
  await expect(detector.detect(GREY, never)).rejects.toMatchObject({ kind: "unavailable" })
  available = 500 * MiB
  ahead = 1_000
  expect(await detector.detect(GREY, never)).toEqual([])
  await detector.close()
})

describe("both runtimes", () => {
  const native = isInstalled()
  if (!native)
    console.warn("skipped: onnxruntime-node is not installed, so it cannot be compared with onnxruntime-web")

  test.skipIf(!native || !YOLOX)("give the same verdicts", async () => {
    const bytes = await readFile(YOLOX ?? "")
    const size = { width: 416, height: 416 }
    const picture = Float32Array.from({ length: 3 * 416 * 416 }, (_, i) => (i * 7_919) % 256)
    const [web, node] = await Promise.all(
      (["onnxruntime-web", "onnxruntime-node"] as const).map(async (runtime) => {
        const session = await openSession(bytes, wasmFile(), runtime)
        return (await session.run(picture.slice(), size))[0]?.values ?? new Float32Array()
      }),
    )
    expect(node?.length).toBe(3_549 * 85)
    const worst = node?.reduce((most, value, i) => Math.max(most, Math.abs(value - (web?.[i] ?? 0))), 0)
    expect(worst).toBeLessThan(1e-3)
  })
})

function isInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve("onnxruntime-node")
    return true
  } catch {
    return false // which is how it is by default
  }
}
