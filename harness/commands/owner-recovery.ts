import { readFile } from "node:fs/promises"
import { Command } from "commander"
import { publicKeyFromHex } from "../../firmware/control/keys.ts"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { bucketSource } from "../owner/bucket-source.ts"
import { OwnerFolder } from "../owner/folder.ts"
import { OwnerKeys } from "../owner/keys.ts"
import { groupedKit, kitPage } from "../owner/kit-page.ts"
import { LogMemory } from "../owner/log-memory.ts"
import { type Recovered, recover } from "../owner/recovery.ts"
import { homeOption, homePaths } from "./options.ts"
import { openOwner } from "./owner.ts"
import { type BucketOptions, openBucketOf, withBucket } from "./owner-bucket.ts"
import { askSecretly, readPassphrase } from "./passphrase.ts"
import { writePrivate } from "./private-file.ts"
import { terminalQr } from "./terminal-qr.ts"

interface KitOptions {
  readonly home: string
  readonly passphraseFile?: string
  readonly out?: string
}

export function ownerRecoveryKitCommand(): Command {
  return new Command("recovery-kit")
    .description("the household's root, to be kept on paper: whoever has it is the owner. Secret!")
    .addOption(homeOption())
    .option("--passphrase-file <file>", "read the passphrase from a file instead of the terminal")
    .option("--out <file>", "write a page to print (HTML with a QR code) instead of showing it here")
    .action(async (options: KitOptions) => {
      const { recoveryKit } = await openOwner(options)
      if (options.out === undefined) {
        console.log(groupedKit(recoveryKit))
        if (process.stdout.isTTY) console.log(`\n${terminalQr(recoveryKit)}`)
        return
      }
      await writePrivate(options.out, kitPage(recoveryKit))
      console.error(`${options.out}: print it, then delete it`)
    })
}

type RestoreOptions = KitOptions & BucketOptions & { readonly kitFile?: string }

const HELP = `
The cloud keeps the household's book (later keys, cameras, members) in a mailbox that only the root finds and opens.
Cameras that are not in it are found by their heartbeats. A cloud that shows an old book is found out where a camera
seals for a newer key than the book has.

Exit codes: 0 all is found; 1 something is missing, said in words; 2 wrong call.`

export function ownerRestoreCommand(): Command {
  const command = new Command("restore")
    .description("an owner again, in an empty folder, from the recovery kit and the cloud alone")
    .addOption(homeOption())
  return withBucket(command)
    .option("--kit-file <file>", "read the recovery kit from a file instead of the terminal")
    .option("--passphrase-file <file>", "read the new passphrase from a file instead of the terminal")
    .addHelpText("after", HELP)
    .action(restore)
}

async function restore(options: RestoreOptions): Promise<void> {
  const paths = homePaths(options.home)
  const folder = new OwnerFolder(paths.owner)
  if (await folder.exists()) throw new Fault("usage", `${paths.owner}: an owner lives here already`)
  const keys = await OwnerKeys.fromRecoveryKit(await readKit(options.kitFile))
  const { bucket, beats } = await openBucketOf(options)
  const found = await recover(keys, bucketSource(bucket), beats)
  const passphrase = await readPassphrase(options.passphraseFile, "A new passphrase for this owner's keys: ")
  await folder.keep(keys, passphrase)
  const { household, backup } = found
  const memory = new LogMemory(paths.owner)
  for (const { device, key, log } of household.book.cameras) {
    if (log) await memory.pinLog(device, log)
    await folder.addCamera(publicKeyFromHex(key))
  }
  await folder.keepBook(household.book, keys)
  await folder.keepBackup(backup)
  report(found)
}

function report({ household, backup, unlisted, lostKeys }: Recovered): void {
  const { cameras, keys, members } = household.book
  const book = backup.version < 0 ? "no book, only" : `book of version ${backup.version},`
  console.log(`found: ${book} ${cameras.length} cameras, ${keys.length + 1} keys, ${members.length} members`)
  for (const { device, log } of cameras)
    console.log(
      `camera ${device}${unlisted.includes(device) ? ", by its heartbeat" : ""}${log ? "" : "; which access log is its own, the book does not say"}`,
    )
  for (const device of lostKeys)
    console.error(
      `obscura: camera ${device} seals for a key that is not in what the cloud showed: it keeps back a newer book, or has lost it. Copy household.age from another device of yours; what follows is sealed for you again after "obscura owner rotate"`,
    )
  if (lostKeys.length > 0) process.exitCode = 1
}

async function readKit(file: string | undefined): Promise<string> {
  if (file === undefined) return askSecretly("The recovery kit: ", "the recovery kit: give --kit-file")
  try {
    return await readFile(file, "utf8")
  } catch (cause) {
    throw new Fault("usage", `--kit-file ${file}: cannot be read (${messageOf(cause)})`, { cause })
  }
}
