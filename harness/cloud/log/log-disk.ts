import { constants } from "node:fs"
import { open, readFile, rename } from "node:fs/promises"
import { dirname, join } from "node:path"
import { Fault, isFault, messageOf } from "../../../firmware/errors.ts"
import { makeFolders } from "../../../hardware/make-folder.ts"
import { lockFolder, type Unlock } from "../bucket-lock.ts"
import { syncDirectory } from "../bucket-volume.ts"
import type { TileFile } from "./tree-edge.ts"

export const publicFolder = (directory: string): string => join(directory, "public")
export const privateFolder = (directory: string): string => join(directory, "private")

/** Files of a log: whole and durable when the promise resolves, or not there under their name. */

const NO_ROOM = new Set(["ENOSPC", "EDQUOT", "EFBIG"])

/** "full": definite, nothing is kept; "usage": the folder cannot be written or read; else "unavailable", indefinite. */
export function logFault(cause: unknown, directory: string): Fault {
  if (isFault(cause)) return cause
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
  if (NO_ROOM.has(code))
    return new Fault("full", `access log ${directory}: no room; free some space or choose another folder`, {
      cause,
    })
  if (["EACCES", "EPERM", "EROFS", "ENOTDIR", "ENOENT"].includes(code))
    return new Fault("usage", `access log ${directory}: cannot be used (${code}); check the folder`, {
      cause,
    })
  return new Fault("unavailable", `access log ${directory}: ${messageOf(cause)}`, {
    definite: false,
    cause,
  })
}

/** null: there is none. */
export async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path)
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return null
    throw error
  }
}

/** Under another name first, so that a reader, or a power cut, finds the old file or the new one. */
export async function replaceFile(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  await writeSynced(`${path}.new`, bytes, mode)
  await rename(`${path}.new`, path)
  await syncDirectory(dirname(path))
}

const AT_ONCE = 16

/** Tiles never change, so a second writing after a crash puts the same bytes. Their folders are synced once each. */
export async function writeTiles(root: string, files: readonly TileFile[]): Promise<void> {
  const folders = new Set(files.map(({ path }) => dirname(path)))
  for (const folder of folders) await makeFolders(join(root, folder), 0o755)
  for (let at = 0; at < files.length; at += AT_ONCE)
    await Promise.all(
      files.slice(at, at + AT_ONCE).map(({ path, bytes }) => writeSynced(join(root, path), bytes, 0o644)),
    )
  for (const folder of withParents(folders)) await syncDirectory(join(root, folder))
}

/** A new folder is durable when the folder above it is synced. */
function withParents(folders: ReadonlySet<string>): ReadonlySet<string> {
  const all = new Set<string>()
  for (let each of folders)
    for (; !all.has(each); each = dirname(each)) {
      all.add(each)
      if (each === ".") break
    }
  return all
}

async function writeSynced(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, mode)
  try {
    await file.writeFile(bytes)
    await file.datasync()
  } finally {
    await file.close()
  }
}

/** @throws Fault "usage", definite: another process has it. */
export async function lockLog(directory: string): Promise<Unlock> {
  try {
    return await lockFolder(directory)
  } catch (cause) {
    const why = "another process writes it, or its path is too long"
    throw new Fault("usage", `access log ${directory}: cannot be locked: ${why}`, { cause })
  }
}
