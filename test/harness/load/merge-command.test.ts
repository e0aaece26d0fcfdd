import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { readReport } from "../../../harness/load/report.ts"
import { writeShard } from "../../../harness/load/shard-file.ts"
import { obscura } from "../run-obscura.ts"
import { shardFile } from "./shards.ts"

const MANY = Array.from({ length: 90 }, (_, i) => i + 1)
const FEW = Array.from({ length: 10 }, (_, i) => 1_000 + i)

describe("obscura merge", () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "obscura-merge-"))
    for (const [name, file] of [
      ["first", shardFile(0, 2, MANY)],
      ["second", shardFile(1, 2, FEW)],
      ["other", { ...shardFile(1, 2, FEW), run: { ...shardFile(1, 2, FEW).run, seed: 9 } }],
    ] as const) {
      await mkdir(join(folder, name))
      await writeShard(join(folder, name), file)
    }
    await mkdir(join(folder, "empty"))
    await mkdir(join(folder, "torn"))
    const text = await readFile(join(folder, "first", "shard.json"), "utf8")
    await writeFile(join(folder, "torn", "shard.json"), text.slice(0, text.length / 2))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const run = (...words: readonly string[]) => obscura(folder, "merge", ...words)

  test("makes of all shards one run's folder", async () => {
    const { code, stdout, stderr } = await run("second", "first", "--json", "--out", "both")
    expect(stderr).toContain("merged 2 shards")
    expect(stderr).toMatch(/It held.*\nseed 42 · commit 0123abc · npm start -- --seed 42/)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual(await readReport(join(folder, "both", "report.json")))
    expect((await readdir(join(folder, "both"))).filter((name) => !name.startsWith(".")).sort()).toEqual([
      ...["junit.xml", "metrics.prom", "report.html", "report.json", "series.json"],
    ])
  }, 60_000)

  test.each([
    [["first"], "shard 1/2 is missing"],
    [["first", "other"], "results of different runs: seed 42 in first, 9 in other"],
    [["first", "first"], "shard 0/2 is there twice: first and first"],
    [["first", "none"], "none: is not there; give the folder of each shard"],
    [["first", "empty"], "empty/shard.json: is not there: did its shard end?"],
    [["first", "torn"], "torn/shard.json: is not whole JSON: did its shard end?"],
    [["first", "second", "--out", "first"], "is not empty"],
    [[], "missing required argument"],
  ])("%j is refused in one line: %s", async (words, why) => {
    const { code, stderr } = await run(...words)
    expect(stderr).toContain(why)
    expect(stderr.trim().split("\n")).toHaveLength(1)
    expect(code).toBe(2)
  })
})
