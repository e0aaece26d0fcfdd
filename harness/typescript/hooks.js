import { createHash } from "node:crypto"
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const OPTIONS = { loader: "ts", format: "esm", target: "node20", sourcemap: "inline", sourcesContent: false }
/**
 * What was stripped before, by the hash of all it was made from: to start esbuild for two hundred files takes longer than
 * most commands do. It may be deleted at any time.
 */
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/obscura/", import.meta.url))

/** @type {import("node:module").LoadHook} */
export async function load(url, context, nextLoad) {
  if (!url.startsWith("file:") || !/\.m?ts$/.test(url.split("?", 1)[0] ?? "")) return nextLoad(url, context)
  const sourcefile = fileURLToPath(url)
  const options = { ...OPTIONS, sourcefile }
  const source = readFileSync(sourcefile, "utf8")
  const key = createHash("sha256")
    .update(`${JSON.stringify(options)}\n${source}`)
    .digest("hex")
  const code = known(key) ?? keep(key, await strip(source, options))
  return { format: "module", source: code, shortCircuit: true }
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
    writeFileSync(draft, code)
    renameSync(draft, `${CACHE}${key}.js`)
  } catch {
    // A folder that cannot be written costs time at every start, and nothing else.
  }
  return code
}
