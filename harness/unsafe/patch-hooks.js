// In a process that `run-mistaken.ts` started, and nowhere else: files are loaded as if the mistake had been made.
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { compile } from "../typescript/hooks.js"

/** Of each file's URL: what is changed in it, in order. */
const patched = new Map()

/** @param {readonly { url: string, from: string, to: string }[]} patches */
export function initialize(patches) {
  for (const { url, from, to } of patches) patched.set(url, [...(patched.get(url) ?? []), { from, to }])
}

/** @type {import("node:module").LoadHook} */
export async function load(url, context, nextLoad) {
  const patches = patched.get(url)
  if (!patches) return nextLoad(url, context)
  const file = fileURLToPath(url)
  let source = readFileSync(file, "utf8")
  for (const { from, to } of patches) {
    if (source.split(from).length !== 2) throw new Error(`mistake: "${from}" is not once in ${file}`)
    source = source.replace(from, () => to)
  }
  const code = file.endsWith(".ts") ? await compile(file, source) : source
  return { format: "module", source: code, shortCircuit: true }
}
