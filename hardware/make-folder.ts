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
  try {
    await mkdir(path, { mode })
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null
    if (code === "EEXIST" && (await isFolder(path))) return
    const above = dirname(path)
    if (code !== "ENOENT" || above === path || (await isFolder(above))) throw error
    await makeFolders(above, mode)
    await mkdir(path, { mode })
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    return false
  }
}
