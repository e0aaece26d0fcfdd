import { createHash } from "node:crypto"
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"

const OPTIONS = { loader: "ts", format: "esm", target: "node20", sourcemap: "inline", sourcesContent: false }
/**
 * What was stripped before, by the hash of all it was made from: to start esbuild for two hundred files takes longer than
 * most commands do. It may be deleted at any time.
 */
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/obscura/", import.meta.url))
/** A few times as many as there are sources. */
const KEPT_MAX = 5_000
/** After so many milliseconds a draft's writer has ended without finishing it. */
const DRAFT_LEFT_AFTER = 60_000
const { version: ESBUILD } = createRequire(import.meta.url)("esbuild/package.json")

/** @type {import("node:module").LoadHook} */
export async function load(url, context, nextLoad) {
  if (!url.startsWith("file:") || !/\.m?ts$/.test(url.split("?", 1)[0] ?? "")) return nextLoad(url, context)
  const sourcefile = fileURLToPath(url)
  const code = await compile(sourcefile, readFileSync(sourcefile, "utf8"))
  return { format: "module", source: code, shortCircuit: true }
}

/** JavaScript of TypeScript `source`, which was read from the file `sourcefile`. */
export async function compile(sourcefile, source) {
  const options = { ...OPTIONS, sourcefile }
  const key = createHash("sha256")
    .update(`${ESBUILD} ${JSON.stringify(options)}\n${source}`)
    .digest("hex")
  return known(key) ?? keep(key, await strip(source, options))
}

async function strip(source, options) {
  const { transform } = await import("esbuild")
  return (await transform(source, options)).code
}

function known(key) {
  try {
    return readFileSync(`${CACHE}${key}.js`, "utf8")
  } catch {
    return null // Not yet there, or not readable: then it is made.
  }
}

/** Whole or not at all: many processes start at once. */
function keep(key, code) {
  const draft = `${CACHE}${key}.${process.pid}`
  try {
    mkdirSync(CACHE, { recursive: true })
    tidyOnce()
    writeFileSync(draft, code)
    renameSync(draft, `${CACHE}${key}.js`)
  } catch {
    // A folder that cannot be written costs time at every start, and nothing else.
    remove(draft)
  }
  return code
}

let isTidy = false

/** Whoever adds to the folder first takes away what is too much: of what is kept the oldest, and drafts that were left. */
function tidyOnce() {
  if (isTidy) return
  isTidy = true
  const names = readdirSync(CACHE)
  const drafts = names.filter((name) => !name.endsWith(".js"))
  for (const { path, writtenAt } of filesOf(drafts))
    if (Date.now() - writtenAt > DRAFT_LEFT_AFTER) remove(path)
  if (names.length <= KEPT_MAX) return
  const oldestFirst = filesOf(names).sort((a, b) => a.writtenAt - b.writtenAt)
  // Half of it, so that not every start has to.
  for (const { path } of oldestFirst.slice(0, names.length - KEPT_MAX / 2)) remove(path)
}

/** Those of `names` that are still there. */
function filesOf(names) {
  return names.flatMap((name) => {
    const found = statSync(`${CACHE}${name}`, { throwIfNoEntry: false })
    return found ? [{ path: `${CACHE}${name}`, writtenAt: found.mtimeMs }] : []
  })
}

function remove(path) {
  try {
    rmSync(path, { force: true })
  } catch {
    // It stays, and is in nobody's way.
  }
}
