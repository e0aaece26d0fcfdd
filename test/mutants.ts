import { join } from "node:path"
import type { Plugin } from "vitest/config"
import { reachedFrom } from "./import-graph.ts"
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
      if (!resolved || !reachedFrom(resolved.id).has(join(root, decode(mistake).path))) return resolved
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

function encode(mistake: Mistake): string {
  return Buffer.from(JSON.stringify(mistake)).toString("base64url")
}

function decode(text: string): Mistake {
  return JSON.parse(Buffer.from(text, "base64url").toString())
}
