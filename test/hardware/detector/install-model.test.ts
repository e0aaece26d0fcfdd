import { execFile } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { createServer, type RequestListener, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { sha256Hex } from "../../../firmware/control/keys.ts"
import { Fault } from "../../../firmware/errors.ts"
import { installModel } from "../../../hardware/detector/install-model.ts"
import { findModel, installedModels } from "../../../hardware/detector/model-store.ts"
import { mutant } from "../../mutants.ts"
import { root, sharedData } from "../../support.ts"

const YOLOX = sharedData("models/yolox_nano.onnx")
const OWN = Buffer.from("a model of somebody's own")
const OWN_HASH = sha256Hex(OWN)
const never = new AbortController().signal

let folder = ""
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-install-test-"))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const fits = async () => undefined
const order = (from: string, sha256?: string, tryOut: (path: string) => Promise<void> = fits) => ({
  ...{ from, folder: join(folder, "models"), tryOut, signal: never },
  ...(sha256 === undefined ? {} : { sha256 }),
})

async function ownFile(name = "My Model.onnx", bytes: Uint8Array = OWN): Promise<string> {
  await writeFile(join(folder, name), bytes)
  return join(folder, name)
}

describe("installing a model", () => {
  test.skipIf(!YOLOX)("that is known needs its file alone, and says whose it is", async () => {
    const model = await installModel(order(YOLOX ?? ""))
    expect(model).toMatchObject({ name: "yolox-nano", bytes: 3_660_092, licence: "Apache-2.0" })
    expect(await findModel([join(folder, "models")])).toEqual(model)
    expect(sha256Hex(await readFile(model.path))).toBe(model.sha256)
  })

  test("that nobody knows is refused unless its hash is named, and then tried out", async () => {
    const from = await ownFile()
    await expect(installModel(order(from))).rejects.toMatchObject({
      ...{ kind: "usage", definite: true },
      message: `${from}: no model that obscura knows, or one that was changed; if you know better, add --sha256 ${OWN_HASH}`,
    })
    const tried: string[] = []
    const tryOut = async (path: string) => {
      tried.push(String(await readFile(path)))
    }
    const model = await installModel(order(from, OWN_HASH, tryOut))
    expect(model).toMatchObject({ name: "my-model", licence: null, source: "My Model.onnx" })
    expect(tried).toEqual([String(OWN)])
  })

  test("whose hash is another than was named is refused, known or not", async () => {
    for (const from of [await ownFile(), ...(YOLOX ? [YOLOX] : [])])
      await expect(installModel(order(from, "0".repeat(64)))).rejects.toMatchObject({ kind: "tampered" })
    expect(await installedModels(join(folder, "models"))).toEqual([])
  })

  test("that is no model is refused by its own name, and leaves nothing", async () => {
    const from = await ownFile()
    const refuse = (path: string) => Promise.reject(new Fault("malformed", `${path}: it is no ONNX model`))
    await expect(installModel(order(from, OWN_HASH, refuse))).rejects.toMatchObject({
      ...{ kind: "malformed", message: `${from}: it is no ONNX model` },
    })
    expect(await readdir(folder)).toEqual(["My Model.onnx"])
  })

  test("under the name of a known one is refused", async () => {
    await expect(installModel(order(await ownFile("yolox-nano.onnx"), OWN_HASH))).rejects.toMatchObject({
      ...{ kind: "usage", message: expect.stringContaining("yolox-nano is the name of another model") },
    })
  })

  test.each([
    ["not there", "away.onnx", "usage", /cannot be opened \(ENOENT/],
    ["a folder", ".", "usage", /is no file|cannot be opened/],
    ["empty", "empty.onnx", "malformed", /is empty$/],
  ])("from what is %s is refused", async (_name, file, kind, message) => {
    await ownFile("empty.onnx", new Uint8Array(0))
    const installing = installModel(order(join(folder, file)))
    await expect(installing).rejects.toMatchObject({ kind })
    await expect(installing).rejects.toThrow(message)
  })

  test("again replaces it whole; what a power cut left is cleared away", async () => {
    const first = await installModel(order(await ownFile(), OWN_HASH))
    await writeFile(`${first.path}.0123456789ab.new`, "half")
    const better = Buffer.from("a better one")
    const second = await installModel(order(await ownFile("My Model.onnx", better), sha256Hex(better)))
    expect(await installedModels(join(folder, "models"))).toEqual([second])
    expect(await readdir(join(folder, "models"))).toHaveLength(2)
  })

  test("on a full disk is refused, and what was there stays", async () => {
    const first = await installModel(order(await ownFile(), OWN_HASH))
    const large = await ownFile("My Model.onnx", Buffer.alloc(200_000))
    // A limit on the size of a file stands in for a small disk: its error is EFBIG instead of ENOSPC.
    const code = `
      import { storeModel } from "./hardware/detector/model-store.ts"
      import { readFileSync } from "node:fs"
      const [folder, file] = process.argv.slice(-2)
      const paper = { sha256: "${"0".repeat(64)}", bytes: 1, licence: null, source: "x" }
      const fault = await storeModel(folder, "my-model", readFileSync(file), paper).catch((error) => error)
      console.log(fault.kind, fault.definite)`
    const node = [
      process.execPath,
      "--import",
      "./harness/typescript/register.js",
      "--input-type=module",
      "-e",
      code,
    ]
    const words = ["-c", 'ulimit -f 100; exec "$0" "$@"', ...node, join(folder, "models"), large]
    const { stdout } = await promisify(execFile)("sh", words, { cwd: root })
    expect(stdout).toBe("full true\n")
    expect(await installedModels(join(folder, "models"))).toEqual([first])
  })
})

describe("a check of hashes that does not look", () => {
  test("is found by what it lets in", async () => {
    const careless = await mutant<typeof import("../../../hardware/detector/install-model.ts")>(
      "hardware/detector/install-model.ts",
      { path: "hardware/detector/install-model.ts", from: "  refuseOther(shown, hash, sha256)\n", to: "" },
    )
    const model = await careless.installModel(order(await ownFile(), "0".repeat(64)))
    expect(model.name).toBe("my-model")
  })
})

describe("over a network", () => {
  let server: Server
  let answer: RequestListener = (_request, response) => response.end(OWN)
  let url = ""
  beforeAll(async () => {
    server = createServer((request, response) => answer(request, response))
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models/mine.onnx?token=secret`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  test("the file is fetched, and its address kept without what may be secret in it", async () => {
    answer = (_request, response) => response.end(OWN)
    const model = await installModel(order(url, OWN_HASH))
    expect(model.name).toBe("mine")
    expect(JSON.stringify(model)).not.toContain("secret")
  })

  test.each<[string, RequestListener, string, RegExp]>([
    [
      "says no",
      (_, response) => response.writeHead(404).end("no"),
      "refused",
      /the server answered 404 Not Found$/,
    ],
    [
      "breaks off",
      (_, response) => {
        response.writeHead(200, { "content-length": "1000000" })
        response.write(OWN, () => response.destroy())
      },
      ...(["unavailable", /broke off/] as const),
    ],
    [
      "sends on to a file of this machine",
      (_, response) => response.writeHead(302, { location: "file:///etc/hostname" }).end(),
      ...(["unavailable", /broke off/] as const),
    ],
    ["gives nothing", (_, response) => response.end(), "malformed", /is empty$/],
    [
      "promises too much",
      (_, response) => {
        response.writeHead(200, { "content-length": String(2 ** 30) })
        response.write(OWN)
      },
      ...(["malformed", /is larger than 256 MiB/] as const),
    ],
    [
      "gives a page instead",
      (_, response) => response.end("<html>log in first</html>"),
      "tampered",
      /its SHA-256 is/,
    ],
  ])("a server that %s is one line", async (_name, says, kind, message) => {
    answer = says
    const installing = installModel(order(url, OWN_HASH))
    await expect(installing).rejects.toMatchObject({ kind })
    await expect(installing).rejects.toThrow(message)
    await expect(installing).rejects.not.toThrow(/secret/)
    expect(await installedModels(join(folder, "models"))).toEqual([])
  })

  test("an address with a password in it is refused, and is not said again", async () => {
    const installing = installModel(order(url.replace("//", "//somebody:secret@")))
    await expect(installing).rejects.toMatchObject({ kind: "usage" })
    await expect(installing).rejects.not.toThrow(/secret/)
  })

  test("a server that is not there, or an address that is none, is one line", async () => {
    await expect(installModel(order("http://127.0.0.1:1/x.onnx"))).rejects.toMatchObject({
      kind: "unavailable",
    })
    await expect(installModel(order("http://"))).rejects.toMatchObject({
      kind: "usage",
    })
  })
})

describe("which model a camera uses", () => {
  const put = (name: string) => ownFile(name, Buffer.from(name))
  const add = async (name: string) =>
    installModel(order(await put(`${name}.onnx`), sha256Hex(Buffer.from(`${name}.onnx`))))

  test("is the only one, or the one that is named, or a file", async () => {
    const models = join(folder, "models")
    expect(await findModel([models])).toBeNull()
    const first = await add("first")
    expect(await findModel([models])).toEqual(first)
    await add("second")
    await expect(findModel([models])).rejects.toThrow(
      "several models are installed, name one of them: first, second",
    )
    expect(await findModel([models], "first")).toEqual(first)
    expect(await findModel([models], first.path)).toEqual({ path: first.path })
    await expect(findModel([models], "third")).rejects.toThrow(
      "model third: neither installed (first, second) nor a file",
    )
  })
})
