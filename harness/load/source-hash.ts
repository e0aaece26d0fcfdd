import { createHash } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const ROOT = fileURLToPath(new URL("../../", import.meta.url))
const SOURCES = ["firmware", "hardware", "simulator", "harness"]

/** SHA-256, hex, of every source and the README together: what ran on one says nothing of another. */
export function sourceHash(): Promise<string> {
  return hashOf(SOURCES, ["README.md"])
}

/**
 * SHA-256, hex, of the camera's sources: `firmware/`, which is the same on a Pi and on a virtual board. Names and texts in
 * the order of the names, so that it does not depend on where they lie.
 */
export function firmwareHash(): Promise<string> {
  return hashOf(["firmware"], [])
}

async function hashOf(folders: readonly string[], files: readonly string[]): Promise<string> {
  const hash = createHash("sha256")
  const names = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(join(ROOT, folder), { recursive: true })).map((name) => join(folder, name)),
    ),
  )
  for (const name of [...files, ...names.flat().filter((each) => /\.[tj]s$/.test(each))].sort())
    hash.update(`${name}\n`).update(await readFile(join(ROOT, name)))
  return hash.digest("hex")
}
