import type { Dirent } from "node:fs"
import { type FileHandle, open, readdir, readFile, rename, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { Fault, isFault, messageOf } from "../firmware/errors.ts"
import type { Store, StoreEntry } from "../firmware/ports.ts"
import type { Bytes } from "../firmware/units.ts"
import { makeFolders } from "./make-folder.ts"

/** Opens, or makes, one area, and removes what an earlier process left half made. @throws as node does. */
export async function openStore(directory: string): Promise<FsStore> {
  await makeFolders(directory)
  for (const name of await readdir(directory))
    if (name.startsWith(UNFINISHED)) await rm(join(directory, name), { force: true })
  return new FsStore(directory, await open(directory, "r"))
}

const NAME = /^[a-z0-9][a-z0-9.-]{0,119}$/
/** No entry's name begins so. */
const UNFINISHED = "_"

/** One area: a file per entry, in one directory. */
export class FsStore implements Store {
  readonly #directory: string
  /** Open only to be synced: a rename is durable when its directory is (fsync(2), notes). */
  readonly #handle: FileHandle
  #unfinished = 0

  constructor(directory: string, handle: FileHandle) {
    this.#directory = directory
    this.#handle = handle
  }

  async put(name: string, parts: readonly Uint8Array[]): Promise<void> {
    const path = this.#path(name)
    const unfinished = join(this.#directory, `${UNFINISHED}${this.#unfinished++}`)
    try {
      await writeWhole(unfinished, parts)
      await rename(unfinished, path)
    } catch (cause) {
      // Should this fail as well, the next open removes it.
      await rm(unfinished, { force: true }).catch(messageOf)
      throw faultOf(cause, path)
    }
    await this.#sync(path)
  }

  async get(name: string): Promise<Uint8Array | null> {
    const path = this.#path(name)
    try {
      return await readFile(path)
    } catch (cause) {
      if (codeOf(cause) === "ENOENT") return null
      throw faultOf(cause, path)
    }
  }

  async remove(name: string): Promise<void> {
    const path = this.#path(name)
    try {
      await rm(path, { force: true })
    } catch (cause) {
      throw faultOf(cause, path)
    }
    await this.#sync(path)
  }

  async list(prefix: string): Promise<readonly StoreEntry[]> {
    try {
      const files = await readdir(this.#directory, { withFileTypes: true })
      const names = files.filter((file) => isEntry(file, prefix)).map((file) => file.name)
      const entries = await Promise.all(names.sort().map((name) => this.#entry(name)))
      return entries.filter((entry) => entry !== null)
    } catch (cause) {
      throw faultOf(cause, this.#directory)
    }
  }

  close(): Promise<void> {
    return this.#handle.close()
  }

  /** null: removed since it was listed. */
  async #entry(name: string): Promise<StoreEntry | null> {
    try {
      return { name, size: (await stat(join(this.#directory, name))).size }
    } catch (cause) {
      if (codeOf(cause) === "ENOENT") return null
      throw cause
    }
  }

  /** The change is made already, so a failure here cannot say that it did not happen. */
  async #sync(path: string): Promise<void> {
    try {
      await this.#handle.sync()
    } catch (cause) {
      throw faultOf(cause, path, false)
    }
  }

  #path(name: string): string {
    if (!NAME.test(name)) throw new Fault("usage", `disk: ${JSON.stringify(name)} is no name for an entry`)
    return join(this.#directory, name)
  }
}

function isEntry(file: Dirent, prefix: string): boolean {
  return file.isFile() && file.name.startsWith(prefix) && NAME.test(file.name)
}

async function writeWhole(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, "wx", 0o600)
  try {
    let rest = parts.filter((part) => part.length > 0)
    // A write may end early, above all on a disk that is filling up; the next one then says why.
    while (rest.length > 0) rest = skip(rest, (await file.writev(rest)).bytesWritten)
    await file.datasync()
  } finally {
    await file.close()
  }
}

function skip(parts: readonly Uint8Array[], written: Bytes): Uint8Array[] {
  const rest: Uint8Array[] = []
  let left = written
  for (const part of parts) {
    if (left < part.length) rest.push(part.subarray(left))
    left = Math.max(0, left - part.length)
  }
  return rest
}

/** What node's error means to a camera. `definite`: the change was surely not made. */
export function faultOf(cause: unknown, path: string, definite = true): Fault {
  if (isFault(cause)) return cause
  switch (codeOf(cause)) {
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
      return new Fault("full", `disk: no room for ${path}`, { definite, cause })
    case "EACCES":
    case "EPERM":
      return new Fault("unavailable", `disk: may not write ${path}: give its folder to this user`, {
        definite,
        cause,
      })
    case "EROFS":
      return new Fault("unavailable", `disk: ${path} is on a read-only file system: remount it`, {
        definite,
        cause,
      })
    case "ENOTDIR":
    case "EEXIST":
      return new Fault("usage", `disk: ${path}: something that is no folder is in the way`, { cause })
    default:
      return new Fault("unavailable", `disk: ${path}: ${messageOf(cause)}`, { definite, cause })
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined
}
