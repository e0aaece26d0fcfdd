import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { LogLine } from "../../firmware/log.ts"
import { processClock } from "../../hardware/clock.ts"
import { filesIn } from "../../hardware/detector/beside.ts"
import { openEyes } from "../../hardware/detector/eyes.ts"
import { cameraStatus } from "../../hardware/program/status-file.ts"
import { root, sharedData } from "../support.ts"
import { bundle } from "./pi-camera.ts"
import { home, pairedCamera } from "./pi-home.ts"

const MODEL = sharedData("models/yolox_nano.onnx")

/** The program as it ships, in a folder of its own. */
let program: Awaited<ReturnType<typeof bundle>>
beforeAll(async () => {
  program = await bundle()
})
afterAll(() => program.remove())

describe("a camera with a model", () => {
  test.skipIf(!MODEL)(
    "recognises by it, on decoded key frames, and says at what pace",
    async ({ onTestFinished }) => {
      // As npm would install the decoder beside the program.
      const modules = join(dirname(program.file), "node_modules")
      await mkdir(modules)
      await symlink(join(root, "node_modules/node-av"), join(modules, "node-av"))
      const ours = await home(program.file, onTestFinished)
      const { pi } = ours
      const installed = await pi.start("model", "install", MODEL ?? "", "--state", pi.paths.state).ended
      expect(installed).toMatchObject({ code: 0, output: expect.stringMatching(/^licence +Apache-2\.0$/m) })

      const { running } = await pairedCamera(ours)
      await running.until('"event":"model ready"')
      pi.kernel.set(17, 1)
      await running.until(/"event":"verdict".*"by":"vote"/)
      pi.kernel.set(17, 0)
      const { output } = await pi.start("status", "--json").ended
      const said = cameraStatus.parse(JSON.parse(output).said)
      expect(said.recognition).toMatchObject({
        family: "YOLOX",
        runtime: "onnxruntime-web",
        damagedKeyFrames: 0,
      })
      expect(said.recognition?.memoryBytes).toBeGreaterThan(0)
      expect((await pi.start("status").ended).output).toMatch(
        /^recognition YOLOX in onnxruntime-web, [\d.]+ MB; \d/m,
      )
      running.child.kill("SIGTERM")
      expect((await running.ended).code).toBe(0)
    },
    60_000,
  )
})

describe("what is missing is said once, and never keeps a camera from starting", () => {
  async function eyesIn(folder: string, model?: string) {
    const lines: LogLine[] = []
    const log = { write: (line: LogLine) => lines.push(line) }
    const eyes = await openEyes({
      ...{
        files: filesIn(folder),
        folders: [join(folder, "models")],
        runtime: "auto",
        clock: processClock(),
        log,
        model,
      },
    })
    await eyes.close()
    return { lines, parts: Object.keys(eyes.parts) }
  }

  test("a model, a decoder, or a model that the settings name", async ({ onTestFinished }) => {
    const folder = await mkdtemp(join(tmpdir(), "obscura-eyes-"))
    onTestFinished(() => rm(folder, { recursive: true }))
    expect(await eyesIn(folder)).toEqual({ lines: [], parts: [] })
    expect(await eyesIn(folder, "other")).toMatchObject({
      ...{ parts: [], lines: [{ event: "fault", where: "detector", kind: "usage" }] },
    })
    if (MODEL)
      expect(await eyesIn(folder, MODEL)).toMatchObject({
        ...{ parts: [], lines: [{ event: "fault", where: "decoder", kind: "unsupported" }] },
      })
  })
})
