import { open, readdir, readFile, rename, rm, stat, statfs } from "node:fs/promises"
import { join } from "node:path"
import { Fault, messageOf } from "../../firmware/errors.ts"
import type { BootPartition } from "./boot-partition.ts"

/**
 * A boot partition that the operating system has mounted. Files are made 0600, which FAT cannot keep: whoever holds the
 * card can read it until its first boot.
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
    read: (file) => translated(folder, () => readFile(at(file))),
    write: (file, bytes) => translated(folder, () => writeDurably(at(file), bytes)),
    rename: (from, to) => translated(folder, () => rename(at(from), at(to))),
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
  const file = await open(path, "r+")
  try {
    await file.write(Buffer.alloc((await file.stat()).size))
    await file.sync()
  } finally {
    await file.close()
  }
  await rm(path)
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
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
    const why = ADVICE[code] ?? messageOf(cause)
    throw new Fault(code === "ENOSPC" ? "full" : "usage", `${folder}: cannot be written: ${why}`, { cause })
  }
}
