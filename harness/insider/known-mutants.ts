import { createHash } from "node:crypto"
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { z } from "zod"

const ROOT = fileURLToPath(new URL("../../", import.meta.url))
const CACHE = join(ROOT, "node_modules", ".cache", "obscura-mutants")
const SOURCES = ["firmware", "hardware", "simulator", "harness"]
const shape = z.strictObject({ violations: z.record(z.string(), z.int().min(0)) })

/** Of every source and the README together: what ran on one hash says nothing of another. */
async function sourceHash(): Promise<string> {
  const hash = createHash("sha256")
  const names = await Promise.all(
    SOURCES.map(async (folder) =>
      (await readdir(join(ROOT, folder), { recursive: true })).map((name) => join(folder, name)),
    ),
  )
  for (const name of ["README.md", ...names.flat().filter((each) => /\.[tj]s$/.test(each))].sort())
    hash.update(`${name}\n`).update(await readFile(join(ROOT, name)))
  return hash.digest("hex")
}

/** Violations by check that the historical mistakes made of this very source, if they were run on it; else none. */
export async function knownMutants(): Promise<ReadonlyMap<string, number>> {
  try {
    const text = await readFile(join(CACHE, `${await sourceHash()}.json`), "utf8")
    return new Map(Object.entries(shape.parse(JSON.parse(text)).violations))
  } catch {
    return new Map() // Not run on this source, or not readable: then nothing is said.
  }
}

/** Adds what was found to what is known of this source. A folder that cannot be written keeps nothing. */
export async function keepMutants(found: ReadonlyMap<string, number>): Promise<void> {
  const all = { ...Object.fromEntries(await knownMutants()), ...Object.fromEntries(found) }
  try {
    await mkdir(CACHE, { recursive: true })
    await writeFile(join(CACHE, `${await sourceHash()}.json`), JSON.stringify({ violations: all }))
  } catch {
    // The next report says null where it could have said a number.
  }
}
