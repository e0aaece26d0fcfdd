import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"

const REACHED = new Map<string, ReadonlySet<string>>()

/** All files of this repository that `file` imports, directly or not, at once or later; itself included. Absolute paths. */
export function reachedFrom(file: string): ReadonlySet<string> {
  let reached = REACHED.get(file)
  if (!reached) {
    const found = new Set([file])
    for (const each of found) for (const next of importsOf(each)) found.add(next)
    REACHED.set(file, found)
    reached = found
  }
  return reached
}

const IMPORTS = new Map<string, readonly string[]>()

function importsOf(file: string): readonly string[] {
  let imports = IMPORTS.get(file)
  if (!imports) {
    const source = /\.[cm]?[jt]s$/.test(file) ? readFileSync(file, "utf8") : ""
    const named = source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"'\n]+)["']/g)
    // What only looks like an import, in a test's text, may name no file.
    imports = [...named].map(([, name = ""]) => join(dirname(file), name)).filter(existsSync)
    IMPORTS.set(file, imports)
  }
  return imports
}
