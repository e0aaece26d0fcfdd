import { constants } from "node:fs"
import { chmod, copyFile, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createInterface } from "node:readline/promises"
import { Command } from "commander"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { type BatchRow, parseBatch } from "../../hardware/flash/batch.ts"
import { openBootFolder } from "../../hardware/flash/boot-folder.ts"
import { openBootImage } from "../../hardware/flash/boot-image.ts"
import type { BootPartition } from "../../hardware/flash/boot-partition.ts"
import type { Card } from "../../hardware/flash/card.ts"
import { bootFiles, flash, PACKAGE_FILE } from "../../hardware/flash/flash.ts"
import { imagerManifest } from "../../hardware/flash/imager-manifest.ts"
import { sshSigns } from "../../hardware/flash/ssh-signs.ts"
import { makeFolder } from "../../hardware/make-folder.ts"
import { type FlashOptions, readCard, readText, refuseMismatch, withFlashOptions } from "./flash-options.ts"
import { packageBytes } from "./package.ts"
import { packedModel } from "./packed-model.ts"

const HELP = `
First write Raspberry Pi OS Lite (64-bit, trixie, from November 2025 on) to a card, by Raspberry Pi Imager without its
customisation. Take the card out and in again, then:

  obscura flash --boot /media/$USER/bootfs --wifi "My Network" --country DE --broker mqtts://cloud.example

The first boot needs a network: the camera's package comes from the card, nodejs and gpiod from Debian. Meanwhile the
board's own green light blinks slowly; fast when something failed; and flashes every five seconds when the camera runs. On
the same partition, obscura-status.txt says how it went. The camera makes its key itself, at its first start.

FAT keeps no permissions: until the first boot has wiped it, whoever holds the card can read the Wi-Fi's key (for WPA2 the
key of this one network, not the password). Imager's own customisation would replace these files: do not use both.`

export function flashCommand(): Command {
  return withFlashOptions(new Command("flash"))
    .description(
      "make a card of Raspberry Pi OS into a camera's: package, Wi-Fi, settings, all in its boot partition",
    )
    .addHelpText("after", HELP)
    .action(run)
}

async function run(options: FlashOptions): Promise<void> {
  refuseMismatch(options)
  const common = await readCard(options, process.env)
  // It has been read, or is not wanted: whatever is started from here on does not inherit it.
  delete process.env.OBSCURA_WIFI_PASSWORD
  const cards = await cardsOf(options, common)
  if (options.dryRun) return dryRun(options, cards)
  const bytes = await readPackage(options)
  if (options.out !== undefined) return makeImages(options, options.out, cards, bytes)
  for (const [index, card] of cards.entries()) {
    if (cards.length > 1) await askForCard(card, index + 1, cards.length)
    await flashOne(await openTarget(options), card, bytes)
  }
  if (options.manifest !== undefined) await writeManifest(options)
}

/** One card, or each of the batch. */
async function cardsOf({ batch, serial }: FlashOptions, common: Card): Promise<readonly Card[]> {
  if (batch === undefined) return [common]
  const rows = parseBatch(await readText(batch, "--batch"), batch)
  const chosen = rows.filter((row) => serial === undefined || row.serial === serial)
  if (chosen.length === 0) throw new Fault("usage", `${batch}: has no serial ${serial}`)
  return chosen.map((row: BatchRow) => ({ ...common, ...row }))
}

async function openTarget({ boot, image }: FlashOptions): Promise<BootPartition> {
  if (boot !== undefined) return openBootFolder(boot)
  if (image !== undefined) return openImage(image)
  throw new Fault("broken", "flash: no target")
}

/** From now on it is to hold the Wi-Fi's key: nobody else on this computer may read it. */
async function openImage(image: string): Promise<BootPartition> {
  const partition = await openBootImage(image)
  await chmod(image, 0o600)
  return partition
}

async function flashOne(partition: BootPartition, card: Card, bytes: Uint8Array): Promise<void> {
  const { files, leftovers } = await flash(partition, card, bytes)
  const of = card.serial === null ? "" : ` (${card.serial})`
  console.log(`${partition.name}${of}: ${[...files.keys()].join(", ")}`)
  console.log(`${partition.name}${of}: ${aboutSsh(card)}; eject it, and give the Pi power`)
  if (leftovers.length > 0)
    console.log(`${partition.name}${of}: could not be taken away, do it yourself: ${leftovers.join(", ")}`)
  if (card.wifi?.secret)
    console.log(
      `${partition.name}${of}: holds the Wi-Fi's key until its first boot has wiped it: keep it to yourself`,
    )
}

function aboutSsh({ ssh, cloudConfig }: Card): string {
  if (ssh !== null) return `SSH is on for ${ssh.user}`
  const signs = cloudConfig === null ? [] : sshSigns(cloudConfig)
  return signs.length === 0
    ? "SSH stays off"
    : `SSH may be on, by your own --cloud-init (${signs.join(", ")})`
}

async function makeImages(
  { image = "" }: FlashOptions,
  out: string,
  cards: readonly Card[],
  bytes: Uint8Array,
): Promise<void> {
  await makeFolder(out)
  for (const card of cards) {
    const target = join(out, `${card.serial}.img`)
    try {
      // Shares its blocks with the original where the file system can.
      await copyFile(image, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    } catch (cause) {
      throw new Fault("usage", `${target}: cannot be made (${messageOf(cause)})`, { cause })
    }
    try {
      await flashOne(await openImage(target), card, bytes)
    } catch (error) {
      await rm(target, { force: true })
      throw error
    }
  }
}

async function askForCard({ serial }: Card, number: number, of: number): Promise<void> {
  if (!process.stdin.isTTY)
    throw new Fault("usage", "no terminal to ask for the next card: write one at a time, with --serial")
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    await terminal.question(`Card ${number} of ${of}: put in the card for ${serial}, then press Enter. `)
  } finally {
    terminal.close()
  }
}

async function readPackage({ package: file, ...options }: FlashOptions): Promise<Buffer> {
  if (file === undefined) return packageBytes(await packedModel(options))
  try {
    const bytes = await readFile(file)
    if (bytes.toString("latin1", 0, 8) === "!<arch>\n") return bytes
  } catch (cause) {
    throw new Fault("usage", `--package ${file}: cannot be read (${messageOf(cause)})`, { cause })
  }
  throw new Fault("usage", `--package ${file}: this is no Debian package; obscura package makes one`)
}

async function dryRun(options: FlashOptions, cards: readonly Card[]): Promise<void> {
  const target = options.boot !== undefined ? await openBootFolder(options.boot) : await imageOf(options)
  const existing = async (file: string) => (target === null ? "" : String(await target.read(file)))
  for (const card of cards) {
    const name = "obscura-<random for each card>"
    const files = await bootFiles(card, new Uint8Array(), name, existing, "masked")
    if (card.serial !== null) console.log(`#### card ${card.serial}\n`)
    for (const [file, bytes] of files)
      console.log(
        file === PACKAGE_FILE
          ? `==== ${file}: ${options.package ?? "built when it is written"}\n`
          : `==== ${file}\n${Buffer.from(bytes).toString()}`,
      )
  }
  console.log("Nothing was written.")
}

async function imageOf({ image }: FlashOptions): Promise<BootPartition | null> {
  return image === undefined ? null : openBootImage(image)
}

async function writeManifest({ image = "", manifest = "" }: FlashOptions): Promise<void> {
  const text = await imagerManifest(image, new Date().toISOString().slice(0, 10))
  try {
    await writeFile(manifest, text)
  } catch (cause) {
    throw new Fault(
      "usage",
      `${manifest}: cannot be written (${messageOf(cause)}); choose another --manifest`,
      { cause },
    )
  }
  console.log(`${manifest}: open it in Raspberry Pi Imager 2 by App Options, Content Repository`)
}
