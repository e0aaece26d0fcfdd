import { mkdir, stat } from "node:fs/promises"
import { dirname } from "node:path"
import { Fault, messageOf } from "../firmware/errors.ts"

/**
 * Makes a folder and the folders above it; one that is there already is fine.
 * @throws Fault "usage", definite, naming the folder.
 */
export async function makeFolder(path: string, mode = 0o700): Promise<void> {
  try {
    await makeFolders(path, mode)
  } catch (cause) {
    throw new Fault("usage", `${path}: cannot be made (${messageOf(cause)}); choose another folder`, {
      cause,
    })
  }
}

/**
 * As `makeFolder`, throwing what node throws. Not by `mkdir`'s own `recursive`: that never returns, at full load, where
 * a file system refuses every folder by saying that its parent is missing, as /proc does.
 */
export async function makeFolders(path: string, mode = 0o700): Promise<void> {
  const refusal = await refusalOf(path, mode)
  if (refusal === null) return
  const above = dirname(path)
  if (codeOf(refusal) !== "ENOENT" || above === path) throw refusal
  // Where it is there, somebody else has made it at this instant.
  if (!(await isFolder(above))) await makeFolders(above, mode)
  const again = await refusalOf(path, mode)
  if (again !== null) throw again
}

/** Why it could not be made; null: it is there. */
async function refusalOf(path: string, mode: number): Promise<unknown> {
  try {
    await mkdir(path, { mode })
    return null
  } catch (error) {
    return codeOf(error) === "EEXIST" && (await isFolder(path)) ? null : error
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : null)

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    return false
  }
}
