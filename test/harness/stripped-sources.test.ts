import { execFileSync } from "node:child_process"
import { linkSync } from "node:fs"
import { cp, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { root } from "../support.ts"

/** A tree with an esbuild that only says what it is. */
let tree: string
const kept = () => join(tree, "node_modules/.cache/obscura")
beforeAll(async () => {
  tree = await mkdtemp(join(tmpdir(), "obscura-stripped-"))
  await cp(join(root, "harness/typescript"), join(tree, "harness/typescript"), { recursive: true })
  await writeFile(join(tree, "package.json"), '{ "type": "module" }')
  await mkdir(join(tree, "node_modules/esbuild"), { recursive: true })
  await mkdir(kept(), { recursive: true })
})
afterAll(() => rm(tree, { recursive: true, force: true }))

async function useEsbuild(version: string, says: string): Promise<void> {
  const folder = join(tree, "node_modules/esbuild")
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "esbuild", version }))
  const transform = `async (source) => ({ code: "${says}: " + source })`
  await writeFile(join(folder, "index.js"), `exports.transform = ${transform}`)
}

function strip(source: string): string {
  const program = `import { compile } from "./harness/typescript/hooks.js"
    process.stdout.write(await compile("/a.ts", ${JSON.stringify(source)}))`
  const words = ["--input-type=module", "--eval", program]
  return execFileSync(process.execPath, words, { cwd: tree, encoding: "utf8" })
}

describe("a source that was stripped once", () => {
  test("is kept for as long as neither it nor esbuild changes", async () => {
    await useEsbuild("1.0.0", "first")
    expect(strip("one")).toBe("first: one")
    await useEsbuild("1.0.0", "second")
    expect(strip("one")).toBe("first: one")
    expect(strip("two")).toBe("second: two")
    await useEsbuild("1.0.1", "third")
    expect(strip("one")).toBe("third: one")
  })

  test("is kept whole, and not for ever: the oldest go, and what somebody left unfinished", async () => {
    const old = new Date(Date.now() - 3_600_000)
    await writeFile(join(kept(), "left.1"), "")
    await utimes(join(kept(), "left.1"), old, old)
    for (let n = 0; n < 5_000; n++) linkSync(join(kept(), "left.1"), join(kept(), `${n}.js`))
    await writeFile(join(kept(), "under-way.2"), "")
    expect(strip("three")).toBe("third: three")
    const left = await readdir(kept())
    expect(left.length).toBeLessThanOrEqual(2_502)
    expect(left.filter((name) => !name.endsWith(".js"))).toEqual(["under-way.2"])
    await useEsbuild("1.0.1", "fourth")
    expect([strip("one"), strip("three")]).toEqual(["third: one", "third: three"])
  })

  test("is stripped at every start where nothing can be kept", async () => {
    await rm(kept(), { recursive: true })
    await writeFile(kept(), "a file in its place")
    expect(strip("one")).toBe("fourth: one")
  })
})
