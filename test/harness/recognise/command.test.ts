import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { runMain } from "../owner/run-main.ts"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-recognise-"))
  await mkdir(join(folder, "in", "deeper"), { recursive: true })
  await mkdir(join(folder, "empty"))
  await writeFile(join(folder, "in", "a.bmp"), bitmap(8, 6))
  await writeFile(join(folder, "in", "deeper", "b.bmp"), bitmap(6, 300))
  await mkdir(join(folder, "other"))
  await writeFile(join(folder, "other", "a.bmp"), bitmap(4, 4))
  await writeFile(join(folder, "in", "notes.txt"), "not looked at")
  await writeFile(join(folder, "cut.jpg"), Buffer.from("ffd8ffe000104a464946", "hex"))
  await writeFile(join(folder, "\u001b[2Jcut.png"), "no picture")
  await writeFile(join(folder, "cut.mp4"), Buffer.alloc(2_000, 7))
  await writeFile(join(folder, "labels.csv"), "file,labels\na.bmp,none\ngone.bmp,person\n")
  await writeFile(join(folder, "wrong.csv"), "file,labels\na.bmp,persn\n")
  await writeFile(join(folder, "no-model.onnx"), "no model")
  await writeFile(join(folder, "odd.json"), '{"recognise":{"minScores":{}}}')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** An uncompressed picture of 24 bits a pixel. */
function bitmap(width: number, height: number): Buffer {
  const row = Math.ceil((width * 3) / 4) * 4
  const bytes = Buffer.alloc(54 + row * height, 99)
  bytes.fill(0, 0, 54)
  bytes.write("BM")
  bytes.writeUInt32LE(bytes.length, 2)
  bytes.writeUInt32LE(54, 10)
  bytes.writeUInt32LE(40, 14)
  bytes.writeInt32LE(width, 18)
  bytes.writeInt32LE(height, 22)
  bytes.writeUInt16LE(1, 26)
  bytes.writeUInt16LE(24, 28)
  return bytes
}

async function obscura(...words: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const progress = vi.spyOn(process.stderr, "write").mockImplementation(() => true)
  try {
    const home = ["--home", join(folder, "home")]
    const { code, bytes, err } = await runMain("recognise", ...words, ...home)
    return { code, out: bytes.toString(), err }
  } finally {
    progress.mockRestore()
  }
}
const at = (...names: readonly string[]) => join(folder, ...names)

describe("obscura recognise", () => {
  test("looks at a folder without a model, and leaves a page and numbers for their user alone", async () => {
    const { code, out, err } = await obscura(at("in"), "--out", at("out"), "--json")
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      model: null,
      pictures: [{ file: "a.bmp" }, { file: "deeper/b.bmp" }],
    })
    expect(err).toContain("missing here: a model")
    expect(await readdir(at("out"))).toEqual(["recognise.html", "recognise.json"])
    for (const name of ["recognise.html", "recognise.json"])
      expect((await stat(at("out", name))).mode & 0o777).toBe(0o600)
    const page = await readFile(at("out", "recognise.html"), "utf8")
    expect(page).toContain("data:image/jpeg;base64,")
    expect(page).toContain("your own pictures, in your own folder")
    expect((await obscura(at("in"), "--out", at("out"), "--compare", at("out"))).out).toContain(
      "0 of 2 common files differ",
    )
  })

  test("what cannot be looked at is one line, the others go on, and the exit code is 1", async () => {
    const files = [
      at("in", "a.bmp"),
      at("cut.jpg"),
      at("cut.mp4"),
      at("\u001b[2Jcut.png"),
      at("gone.jpg"),
      at("empty"),
      at("labels.csv"),
    ]
    const { code, err, out } = await obscura(...files, "--out", at("some"), "--labels", at("labels.csv"))
    expect(code).toBe(1)
    const lines = err.split("\n").filter((line) => line.startsWith("obscura: "))
    for (const says of [
      "cut.jpg: ",
      "cut.mp4: ",
      "gone.jpg: no such file",
      "empty: no film",
      "labels.csv: neither",
      "gone.bmp is not among",
    ])
      expect(lines.filter((line) => line.includes(says))).toHaveLength(1)
    expect(out).toContain("1 picture, 0 films")
    // A file's name does not steer the terminal.
    expect(err).toContain("[2Jcut.png: is no picture")
    expect(err).not.toContain("\u001b")
  })

  test("pictures that are called alike in two folders are told apart", async () => {
    const { out } = await obscura(at("in"), at("other"), "--out", at("two"), "--json")
    const { pictures } = JSON.parse(out)
    expect(pictures.map(({ file, width }: { file: string; width: number }) => [file, width])).toEqual([
      [at("in", "a.bmp"), 8],
      ["deeper/b.bmp", 6],
      [at("other", "a.bmp"), 4],
    ])
  })

  test("a model that cannot be used leaves no folder behind", async () => {
    await obscura(at("in"), "--model", at("no-model.onnx"), "--out", at("unmade"))
    expect(await readdir(folder)).not.toContain("unmade")
  })

  test.each([
    ["no file at all", () => [at("empty")], "nothing to look at"],
    ["labels that are none", () => [at("in"), "--labels", at("wrong.csv")], 'wrong.csv: line 2: "persn"'],
    ["labels that are not there", () => [at("in"), "--labels", at("away.csv")], "the labels cannot be read"],
    ["a model that is none", () => [at("in"), "--model", at("no-model.onnx")], "no-model.onnx"],
    ["a model that is not there", () => [at("in"), "--model", at("away.onnx")], "neither installed"],
    [
      "a configuration with a wrong word",
      () => [at("in"), "--config", at("odd.json")],
      "odd.json: configuration: recognise",
    ],
    [
      "a configuration that is no JSON",
      () => [at("in"), "--config", at("labels.csv")],
      "cannot be read as JSON",
    ],
    ["an --out that is a file", () => [at("in"), "--out", at("labels.csv")], "labels.csv"],
    ["an --out with other things in it", () => [at("in"), "--out", at("in")], "it is not empty"],
    ["an --out that cannot be made", () => [at("in"), "--out", "/proc/nowhere"], "cannot be made"],
    [
      "an earlier run that is none",
      () => [at("in"), "--compare", at("odd.json")],
      "not a run of obscura recognise",
    ],
  ])("%s is one line and exit code 2, before anything is looked at", async (_name, words, says) => {
    const { code, err, out } = await obscura(...words())
    expect([code, out]).toEqual([2, ""])
    expect(err.split("\n").filter((line) => line.includes(says))).toHaveLength(1)
  })
})
