import { constants, type Stats } from "node:fs"
import { type FileHandle, lstat, open, readdir, rename, rm, stat, statfs } from "node:fs/promises"
import { join } from "node:path"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import type { BootPartition } from "./boot-partition.ts"

/**
 * A boot partition that the operating system has mounted. Files are made 0600, which FAT cannot keep: whoever holds the
 * card can read it until its first boot. A folder that is no FAT may hold links: nothing is read or written through one.
 *
 * @throws Fault "usage", definite: no such folder.
 */
export async function openBootFolder(folder: string): Promise<BootPartition> {
  const found = await stat(folder).catch((cause: unknown) => {
    throw new Fault(
      "usage",
      `${folder}: no such folder (${messageOf(cause)}): is the card in, and mounted?`,
      {
        cause,
      },
    )
  })
  if (!found.isDirectory())
    throw new Fault("usage", `${folder}: is no folder; an image file goes to --image instead of --boot`)
  const at = (file: string) => join(folder, file)
  return {
    name: folder,
    list: () => translated(folder, () => readdir(folder)),
    read: (file) => translated(folder, () => withPlainFile(at(file), "r", (opened) => opened.readFile())),
    write: (file, bytes) => translated(folder, () => writeDurably(at(file), bytes)),
    rename: (from, to) =>
      translated(folder, async () => {
        refuseUnlessPlain(await lstat(at(from)), at(from))
        await rename(at(from), at(to))
      }),
    remove: (file) => translated(folder, () => overwriteAndRemove(at(file))),
    free: () =>
      translated(folder, async () => {
        const { bavail, bsize } = await statfs(folder)
        return bavail * bsize
      }),
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "wx", 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** FAT writes in place, so an earlier Wi-Fi's key does not stay in free space; a card's spare blocks are beyond reach. */
async function overwriteAndRemove(path: string): Promise<void> {
  await withPlainFile(path, "r+", async (file) => {
    await file.write(Buffer.alloc((await file.stat()).size))
    await file.sync()
  })
  await rm(path)
}

async function withPlainFile<T>(
  path: string,
  mode: "r" | "r+",
  use: (file: FileHandle) => Promise<T>,
): Promise<T> {
  // Before it is opened: a pipe would wait for its other end.
  refuseUnlessPlain(await lstat(path), path)
  const access = mode === "r" ? constants.O_RDONLY : constants.O_RDWR
  const file = await open(path, access | constants.O_NOFOLLOW)
  try {
    refuseUnlessPlain(await file.stat(), path)
    return await use(file)
  } finally {
    await file.close()
  }
}

/** A second name (hard link) is a file elsewhere just as well. */
function refuseUnlessPlain(found: Stats, path: string): void {
  if (!found.isFile() || found.nlink > 1)
    throw new Fault("usage", `${path}: is a link, or no file: this is not the boot partition of a card`)
}

const ADVICE: Readonly<Record<string, string>> = {
  EROFS: "it is mounted read-only: is the card's lock switch on?",
  EACCES: "not allowed: is it mounted for another user?",
  EPERM: "not allowed: is it mounted for another user?",
  ENOSPC: "it is full",
  EIO: "the card does not take it: try another card or reader",
}

async function translated<T>(folder: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (cause) {
    if (isFault(cause)) throw cause
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
    const why = ADVICE[code] ?? messageOf(cause)
    throw new Fault(code === "ENOSPC" ? "full" : "usage", `${folder}: cannot be written: ${why}`, { cause })
  }
}
