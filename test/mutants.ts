import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import type { Plugin } from "vitest/config"
import { root } from "./support.ts"

/**
 * One mistake in the source: in the file at `path`, from the repository's root, the text `from` becomes `to`. The text
 * must be there exactly once, so that a mutant whose source has moved on fails its test instead of passing for nothing.
 */
export interface Mistake {
  readonly path: string
  readonly from: string
  readonly to: string
}

const QUERY = "?mutant="

/**
 * The module at `entry` as if the mistake had been made: anew, with all of what it imports from this repository that
 * reaches the mistake. The rest is shared with the test.
 */
export async function mutant<M>(entry: string, mistake: Mistake): Promise<M> {
  return import(/* @vite-ignore */ `${join(root, entry)}${QUERY}${encode(mistake)}`)
}

/** Makes such imports possible: a source patch when a test runs, never a flag in what is shipped. */
export function mutants(): Plugin {
  return {
    name: "mutants",
    enforce: "pre",
    async resolveId(source, importer) {
      const [, mistake] = importer?.split(QUERY) ?? []
      // There is one class of faults, mistakes or not: tests ask for it.
      if (!importer || !mistake || !source.startsWith(".") || source.endsWith("/errors.ts")) return null
      const resolved = await this.resolve(source, importer.split(QUERY)[0], { skipSelf: true })
      if (!resolved || !reaches(resolved.id, join(root, decode(mistake).path))) return resolved
      return `${resolved.id}${QUERY}${mistake}`
    },
    transform(code, id) {
      const [file, text] = id.split(QUERY)
      if (!text) return null
      const { path, from, to } = decode(text)
      if (file !== join(root, path)) return null
      if (code.split(from).length !== 2) throw new Error(`mutant: "${from}" is not once in ${path}`)
      return { code: code.replace(from, () => to), map: null }
    },
  }
}

/** Of each file asked for: which others it reaches by its imports, itself included. */
const REACHED = new Map<string, ReadonlySet<string>>()

function reaches(file: string, target: string): boolean {
  let reached = REACHED.get(file)
  if (!reached) {
    const found = new Set([file])
    for (const each of found) for (const next of importsOf(each)) found.add(next)
    REACHED.set(file, found)
    reached = found
  }
  return reached.has(target)
}

const IMPORTS = new Map<string, readonly string[]>()

function importsOf(file: string): readonly string[] {
  let imports = IMPORTS.get(file)
  if (!imports) {
    const source = /\.[cm]?[jt]s$/.test(file) ? readFileSync(file, "utf8") : ""
    const named = source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"'\n]+)["']/g)
    imports = [...named].map(([, name = ""]) => join(dirname(file), name))
    IMPORTS.set(file, imports)
  }
  return imports
}

function encode(mistake: Mistake): string {
  return Buffer.from(JSON.stringify(mistake)).toString("base64url")
}

function decode(text: string): Mistake {
  return JSON.parse(Buffer.from(text, "base64url").toString())
}
