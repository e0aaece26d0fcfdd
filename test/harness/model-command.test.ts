import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { sha256Hex } from "../../firmware/control/keys.ts"
import { packedModel } from "../../harness/commands/packed-model.ts"
import { sharedData } from "../support.ts"
import { tinyOnnx } from "../tiny-onnx.ts"
import { obscura } from "./run-obscura.ts"

const MODEL = sharedData("models/yolox_nano.onnx")
const NANODET = tinyOnnx({
  ...{ input: [1, 3, 64, 64], outputs: [{ dims: [1, 84, 112], values: new Float32Array(84 * 112) }] },
})

let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-model-command-"))
  await writeFile(join(folder, "nanodet.onnx"), NANODET)
  await writeFile(join(folder, "notes.onnx"), "no model")
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe("obscura model", () => {
  test("lists what is known, with hash, size, licence and source, before anything is installed", async () => {
    const { code, stdout } = await obscura(folder, "model", "list")
    expect(code).toBe(0)
    expect(stdout).toMatch(/^none is installed\nknown +yolox-nano: .*, 3660092 bytes$/m)
    for (const fact of [
      /^sha256 +[0-9a-f]{64}$/m,
      /^licence +Apache-2\.0$/m,
      /^source +.*https:\/\/github\.com/m,
    ])
      expect(stdout).toMatch(fact)
  })

  test("installs one of one's own by its hash, once it has run", async () => {
    const words = ["model", "install", "nanodet.onnx", "--sha256"]
    expect(await obscura(folder, ...words, sha256Hex(NANODET))).toMatchObject({
      ...{ code: 0, stdout: expect.stringMatching(/^licence +not known to obscura/m) },
    })
    const { stdout } = await obscura(folder, "model", "list", "--json")
    expect(JSON.parse(stdout).installed).toMatchObject([{ name: "nanodet", bytes: NANODET.length }])
  })

  test.skipIf(!MODEL)("installs a known one by its file alone", async () => {
    expect((await obscura(folder, "model", "install", MODEL ?? "")).code).toBe(0)
    expect((await obscura(folder, "model", "list")).stdout).toMatch(
      /^installed +yolox-nano, 3660092 bytes: /m,
    )
  })

  test.each([
    ["an unknown file", ["notes.onnx"], /^obscura: notes\.onnx: no model that obscura knows/],
    [
      "what is no model",
      ["notes.onnx", "--sha256", sha256Hex(Buffer.from("no model"))],
      /^obscura: notes\.onnx: it is no ONNX model/,
    ],
    ["a hash that is none", ["notes.onnx", "--sha256", "12"], /^obscura: option .* 64 hex digits are wanted/],
    ["nothing", [], /^obscura: missing required argument/],
  ])("refuses %s in one line", async (_name, words, message) => {
    const { code, stderr } = await obscura(folder, "model", "install", ...words)
    expect([code, stderr.trimEnd().split("\n").length]).toEqual([2, 1])
    expect(stderr).toMatch(message)
  })
})

describe("a model that goes with the package", () => {
  test("is checked like any other", async () => {
    const model = join(folder, "nanodet.onnx")
    await expect(packedModel({ model })).rejects.toMatchObject({ kind: "usage" })
    const packed = await packedModel({ model, modelSha256: sha256Hex(NANODET) })
    expect(packed).toMatchObject({ name: "nanodet", licence: null, file: NANODET })
    await expect(packedModel({ modelSha256: "0".repeat(64) })).rejects.toMatchObject({ kind: "usage" })
    expect(await packedModel({})).toBeNull()
  })
})
