import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { MEASUREMENT_NAMES, parseNames } from "../../harness/bench/bench.ts"
import { judged, median, rowsShape } from "../../harness/bench/row.ts"
import { tableOf } from "../../harness/bench/table.ts"
import { benchCommand } from "../../harness/commands/bench.ts"
import { root } from "../support.ts"
import { obscura } from "./run-obscura.ts"

describe("the bench", () => {
  test("names every row in its help", () => {
    let help = ""
    benchCommand()
      .configureOutput({ writeOut: (text) => (help += text) })
      .outputHelp()
    for (const name of MEASUREMENT_NAMES) expect(help).toContain(name)
  })

  test("says which rows there are when asked for one that there is not", () => {
    expect(() => parseNames("seal,sael")).toThrow(/no row sael.*seal-sign/)
    expect(parseNames("mux, seal")).toEqual(["mux", "seal"])
  })

  test("runs its processes and writes rows of the documented shape", async () => {
    const folder = await mkdtemp(join(tmpdir(), "obscura-bench-test-"))
    try {
      const json = join(folder, "rows.json")
      const only = "mux,connects"
      // Its exit code says whether targets were reached, which no test asks here.
      const words = ["--quick", "--only", only, "--json", json]
      const { code, stdout, stderr } = await obscura(root, "bench", ...words)
      expect([0, 1], stderr).toContain(code)
      const rows = rowsShape.parse(JSON.parse(await readFile(json, "utf8")))
      expect(rows.map(({ name }) => name)).toEqual(["mux", "connects"])
      expect(code).toBe(rows.every(({ pass }) => pass) ? 0 : 1)
      for (const { name } of rows) expect(stdout).toContain(name)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }, 120_000)

  test("judges the median of ratios that were measured side by side, in the direction that counts", () => {
    const finding = { name: "speed", unit: "MB/s", reach: 0.5, better: "higher" as const, ours: [6, 4, 100] }
    const theirs = { what: "the limit", values: [10, 10, 1_000] }
    expect(judged({ ...finding, theirs }, "machine")).toMatchObject({
      value: 6,
      ratio: 0.4,
      pass: false,
      samples: 3,
    })
    expect(judged({ ...finding, reach: 10, better: "lower" }, "machine")).toMatchObject({
      ratio: null,
      pass: true,
    })
    expect(judged({ ...finding, ours: [Number.NaN] }, "machine").pass).toBe(false)
    expect(median([4, 1, 3, 2])).toBe(2.5)
  })

  test("marks what missed its reach", () => {
    const finding = { name: "weight", unit: "KiB", reach: 5, better: "lower" as const }
    const rows = [judged({ ...finding, ours: [4] }, "m"), judged({ ...finding, ours: [6] }, "m")]
    const [, light, heavy] = tableOf(rows).split("\n")
    expect([light?.endsWith("reached"), heavy?.endsWith("MISSED")]).toEqual([true, true])
  })
})
