import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import type { Bytes } from "../../firmware/units.ts"

/** The FAT partition that a Pi boots from: a mounted folder, or one inside an image file. Names lie at its top. */
export interface BootPartition {
  /** For messages: "/media/bootfs", "camera.img". */
  readonly name: string
  list(): Promise<readonly string[]>
  read(file: string): Promise<Buffer>
  /** Makes a file that is not there yet, and is on the medium when this resolves. */
  write(file: string, bytes: Uint8Array): Promise<void>
  /** `to` is not there. */
  rename(from: string, to: string): Promise<void>
  remove(file: string): Promise<void>
  free(): Promise<Bytes>
}

/**
 * Is this a Raspberry Pi OS that reads cloud-init's files, and nothing on it that turns SSH on unasked?
 * @throws Fault "usage", definite, that says what to do.
 */
export async function checkBootPartition(partition: BootPartition, sshAsked: boolean): Promise<void> {
  const names = new Set((await partition.list()).map((name) => name.toLowerCase()))
  for (const needed of ["config.txt", "cmdline.txt"])
    if (!names.has(needed))
      throw new Fault(
        "usage",
        `${partition.name}: no ${needed}: this is not the boot partition of Raspberry Pi OS; it is called bootfs`,
      )
  if (!names.has("meta-data"))
    throw new Fault(
      "usage",
      `${partition.name}: no meta-data, so this Raspberry Pi OS reads no cloud-init: take an image of trixie from November 2025 on`,
    )
  const opener = ["ssh", "ssh.txt"].find((name) => names.has(name))
  if (opener !== undefined && !sshAsked)
    throw new Fault(
      "usage",
      `${partition.name}: the file ${opener} would turn SSH on: remove it, or ask for SSH with --ssh-key`,
    )
}

const NEW = ".obscura-new"
const OLD = ".obscura-old"
/** What directory entries and half-filled clusters may take besides. */
const SLACK: Bytes = 256 * 1024

/**
 * Puts files onto the partition, all of them or none: they are written under other names first, then change places with
 * what was there, and on any error everything goes back to what it was. (A laptop that loses power between two renames
 * leaves both names; writing again puts it right.)
 *
 * @throws Fault "full" or "usage", definite: nothing has changed.
 */
export async function writeAll(
  partition: BootPartition,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  await clearLeftovers(partition)
  const sizes = [...files.values()].map((bytes) => bytes.length)
  // The largest twice: in an image a file is renamed by copying it.
  const needed = sizes.reduce((sum, size) => sum + size, SLACK + Math.max(0, ...sizes))
  const free = await partition.free()
  if (free < needed)
    throw new Fault(
      "full",
      `${partition.name}: ${mebibytes(needed)} MiB are needed, ${mebibytes(free)} are free: remove what is not needed, or take a larger card`,
    )
  const undo: (() => Promise<void>)[] = []
  try {
    for (const [name, bytes] of files) {
      undo.push(() => removeIfThere(partition, name + NEW))
      await partition.write(name + NEW, bytes)
    }
    // FAT keeps the case of a name, and does not mind it.
    const there = new Map((await partition.list()).map((name) => [name.toLowerCase(), name]))
    for (const name of files.keys()) {
      const before = there.get(name.toLowerCase())
      if (before !== undefined) {
        await partition.rename(before, name + OLD)
        undo.push(() => partition.rename(name + OLD, before))
      }
      await partition.rename(name + NEW, name)
      undo.push(() => partition.remove(name))
    }
  } catch (cause) {
    for (const step of undo.reverse()) await step()
    if (isFault(cause)) throw cause
    throw new Fault("usage", `${partition.name}: cannot be written (${messageOf(cause)})`, { cause })
  }
  for (const name of files.keys()) await removeIfThere(partition, name + OLD)
}

/** After a power cut in the middle: what was there first is put back. */
async function clearLeftovers(partition: BootPartition): Promise<void> {
  const names = new Set(await partition.list())
  for (const name of names) {
    if (name.endsWith(NEW)) await partition.remove(name)
    if (!name.endsWith(OLD)) continue
    const whole = name.slice(0, -OLD.length)
    if (names.has(whole)) await partition.remove(name)
    else await partition.rename(name, whole)
  }
}

async function removeIfThere(partition: BootPartition, name: string): Promise<void> {
  if ((await partition.list()).includes(name)) await partition.remove(name)
}

const mebibytes = (bytes: Bytes): string => (bytes / 1024 / 1024).toFixed(1)
