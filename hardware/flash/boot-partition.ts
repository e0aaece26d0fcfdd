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

/** Of other ways to set a card up: each makes a user, or holds a Wi-Fi's password that nobody would wipe. */
const FOREIGN = ["userconf", "userconf.txt", "custom.toml", "wpa_supplicant.conf", "firstrun.sh"] as const

/**
 * Is this a Raspberry Pi OS Lite that reads cloud-init's files, and nothing on it that turns SSH on unasked, makes a user,
 * or knows another Wi-Fi?
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
  const foreign = FOREIGN.filter((name) => names.has(name))
  if (foreign.length > 0)
    throw new Fault(
      "usage",
      `${partition.name}: ${foreign.join(", ")}: from another set-up, which may make a user or hold a Wi-Fi's password: write Raspberry Pi OS anew, without Imager's customisation`,
    )
  if (String(await partition.read("cmdline.txt")).includes("systemd.run="))
    throw new Fault(
      "usage",
      `${partition.name}: cmdline.txt runs a command of its own at boot (systemd.run=): write Raspberry Pi OS anew, without Imager's customisation`,
    )
  // pi-gen's stages from 3 on have a desktop, whose first-run wizard logs in by itself and may do everything.
  if (names.has("issue.txt") && /, stage[3-9]\s*$/.test(String(await partition.read("issue.txt"))))
    throw new Fault(
      "usage",
      `${partition.name}: this Raspberry Pi OS has a desktop, where a keyboard makes an administrator: take Lite`,
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
 * @returns names of what was there before and could not be taken away; everything new is there all the same.
 * @throws Fault "full" or "usage", definite: nothing has changed, or the message says what could not be put back.
 */
export async function writeAll(
  partition: BootPartition,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<readonly string[]> {
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
  const undo: Step[] = []
  try {
    for (const [name, bytes] of files) {
      undo.push([name + NEW, () => removeIfThere(partition, name + NEW)])
      await partition.write(name + NEW, bytes)
    }
    // FAT keeps the case of a name, and does not mind it.
    const there = new Map((await partition.list()).map((name) => [name.toLowerCase(), name]))
    for (const name of files.keys()) {
      const before = there.get(name.toLowerCase())
      if (before !== undefined) {
        await partition.rename(before, name + OLD)
        undo.push([before, () => partition.rename(name + OLD, before)])
      }
      await partition.rename(name + NEW, name)
      undo.push([name, () => partition.remove(name)])
    }
  } catch (cause) {
    const stuck = await takeAll(undo.reverse())
    if (isFault(cause) && stuck.length === 0) throw cause
    const why = isFault(cause) ? cause.message : `${partition.name}: cannot be written (${messageOf(cause)})`
    const left = stuck.length === 0 ? "" : `; and could not be put back: ${stuck.join(", ")}: flash it again`
    throw new Fault(isFault(cause) ? cause.kind : "usage", why + left, { cause })
  }
  return takeAll(
    [...files.keys()].map((name) => [name + OLD, () => removeIfThere(partition, name + OLD)] as const),
  )
}

type Step = readonly [name: string, act: () => Promise<void>]

/** Every step, whichever fails; the names of those that did. */
async function takeAll(steps: readonly Step[]): Promise<readonly string[]> {
  const failed: string[] = []
  for (const [name, act] of steps) await act().catch(() => failed.push(name))
  return [...new Set(failed)]
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
