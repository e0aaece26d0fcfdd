import { stat } from "node:fs/promises"
import { openIdentity, resetCamera } from "../../firmware/control/identity.ts"
import { Fault, messageOf } from "../../firmware/errors.ts"
import type { Disk } from "../../firmware/ports.ts"
import { fsDisk } from "../../hardware/disk.ts"

/** What a person does who gives the camera in `directory` away: they hold its button through a boot. */
export async function resetAt(directory: string): Promise<void> {
  // Opening a disk makes one.
  const disk = (await isThere(directory)) ? await fsDisk(directory) : null
  try {
    console.log((disk && (await resetOn(disk))) ?? "there was no camera here")
  } finally {
    await disk?.close()
  }
}

/** What was there, in words; null: nothing. */
async function resetOn(disk: Disk): Promise<string | null> {
  const isCamera = (await disk.private.list("")).length > 0
  const device = isCamera ? (await openIdentity(disk)).device : null
  const objects = (await disk.list("object.")).length
  // Also what a power cut left of a reset.
  await resetCamera(disk)
  if (device === null) return null
  return `camera ${device} is no more: its key, its owner and the ${objects} sealed objects on it are gone. What its cloud has stays sealed for its old owner.`
}

async function isThere(directory: string): Promise<boolean> {
  try {
    await stat(directory)
    return true
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false
    throw new Fault("usage", `${directory}: cannot be looked at (${messageOf(error)})`, { cause: error })
  }
}
