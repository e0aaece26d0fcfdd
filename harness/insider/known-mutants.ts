import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { z } from "zod"
import { sourceHash } from "../load/source-hash.ts"

const ROOT = fileURLToPath(new URL("../../", import.meta.url))
const CACHE = join(ROOT, "node_modules", ".cache", "obscura-mutants")
const shape = z.strictObject({ violations: z.record(z.string(), z.int().min(0)) })

/** Violations by check that the historical mistakes made of this very source, if they were run on it; else none. */
export async function knownMutants(): Promise<ReadonlyMap<string, number>> {
  try {
    const text = await readFile(join(CACHE, `${await sourceHash()}.json`), "utf8")
    return new Map(Object.entries(shape.parse(JSON.parse(text)).violations))
  } catch {
    return new Map() // Not run on this source, or not readable: then nothing is said.
  }
}

/**
 * Adds what was found on the source of hash `source` to what is known of it; nothing where the source has changed since. A
 * folder that cannot be written keeps nothing.
 */
export async function keepMutants(found: ReadonlyMap<string, number>, source: string): Promise<void> {
  if ((await sourceHash()) !== source) return
  const all = { ...Object.fromEntries(await knownMutants()), ...Object.fromEntries(found) }
  try {
    await mkdir(CACHE, { recursive: true })
    await writeFile(join(CACHE, `${source}.json`), JSON.stringify({ violations: all }))
  } catch {
    // The next report says null where it could have said a number.
  }
}
