import { randomBytes } from "node:crypto"
import { withCountry, withOverlays, withoutWizard } from "./boot-config.ts"
import { type BootPartition, checkBootPartition, writeAll } from "./boot-partition.ts"
import type { Card } from "./card.ts"
import { cloudInitFiles, type Secrets } from "./cloud-init.ts"

/** What the package is called on the boot partition: first-boot.sh looks for it. */
export const PACKAGE_FILE = "obscura-camera.deb"
const STATUS_FILE = "obscura-status.txt"

const NOT_YET = `obscura camera: flashed
state: waiting for its first boot
do:    put the card into the Pi and give it power. If this still stands here after a quarter of an hour, the Pi did not
       boot from this card: look at its power supply, and at the card.
`

/** A name for one flashing of one card. */
export const newInstance = (): string => `obscura-${randomBytes(8).toString("hex")}`

/** What a card's boot partition gets: name to bytes. `existing` reads what is there. */
export async function bootFiles(
  card: Card,
  packageBytes: Uint8Array,
  instance: string,
  existing: (file: "config.txt" | "cmdline.txt") => Promise<string>,
  secrets: Secrets = "written",
): Promise<ReadonlyMap<string, Uint8Array>> {
  const config = await existing("config.txt")
  const cmdline = await existing("cmdline.txt")
  const edited = new Map([
    ["config.txt", withOverlays(config, card.settings.parsed.camera.pins)],
    ["cmdline.txt", withCountry(withoutWizard(cmdline), card.wifi?.country ?? null)],
  ])
  if (edited.get("config.txt") === config) edited.delete("config.txt")
  if (edited.get("cmdline.txt") === cmdline) edited.delete("cmdline.txt")
  const texts = new Map([
    ...cloudInitFiles(card, instance, secrets),
    [STATUS_FILE, NOT_YET] as const,
    ...edited,
  ])
  const files = new Map<string, Uint8Array>([[PACKAGE_FILE, packageBytes]])
  for (const [name, text] of texts) files.set(name, Buffer.from(text))
  return files
}

export interface Flashed {
  /** Name to bytes: what was written. */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** What was there before and could not be taken away: it may hold an earlier Wi-Fi's key. */
  readonly leftovers: readonly string[]
}

/**
 * Makes one card's boot partition a camera's. All of it or nothing.
 * @throws Fault "usage" or "full", definite: nothing on it has changed, or the message names what has.
 */
export async function flash(
  partition: BootPartition,
  card: Card,
  packageBytes: Uint8Array,
): Promise<Flashed> {
  await checkBootPartition(partition, card.ssh !== null)
  const existing = async (file: string) => String(await partition.read(file))
  const files = await bootFiles(card, packageBytes, newInstance(), existing)
  return { files, leftovers: await writeAll(partition, files) }
}
