import { writeFile } from "node:fs/promises"
import { resolve } from "node:path"
import { Argument, Command } from "commander"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { newHouseholdIdentity } from "../owner/age-identity.ts"
import { OwnerFolder } from "../owner/folder.ts"
import { homeOption, homePaths } from "./options.ts"
import { readPassphrase } from "./passphrase.ts"

interface FactorOptions {
  readonly home: string
  readonly passphraseFile?: string
}

const HELP = `
A second factor is a file on another medium, a stick for instance: without it the passphrase opens nothing here. The
recovery kit opens without either, so a lost stick is no lost clip. Copies of keys.age that were made before still open
with the passphrase alone: delete them.`

export function ownerSecondFactorCommand(): Command {
  return new Command("second-factor")
    .description("a file beside the passphrase, without which the keys in this folder do not open")
    .addHelpText("after", HELP)
    .addCommand(
      factorCommand("add", "make one, and need it from now on")
        .addArgument(new Argument("<file>", "a new file, on a medium that is kept apart"))
        .action(add),
    )
    .addCommand(factorCommand("remove", "need the passphrase alone again").action(remove))
}

function factorCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(homeOption())
    .option("--passphrase-file <file>", "read the passphrase from a file instead of the terminal")
}

async function add(path: string, options: FactorOptions): Promise<void> {
  const { folder, keys, passphrase } = await open(options)
  const { secretText, recipientText } = await newHouseholdIdentity(keys.kind)
  const file = resolve(path)
  try {
    await writeFile(file, `${secretText}\n`, { mode: 0o600, flag: "wx", flush: true })
  } catch (cause) {
    throw new Fault("usage", `${file}: cannot be made (${messageOf(cause)})`, { cause })
  }
  await folder.keepFactor(keys, passphrase, { file, recipient: recipientText })
  console.log(`${file} is needed from now on; keep it apart from this folder`)
}

async function remove(options: FactorOptions): Promise<void> {
  const { folder, keys, passphrase } = await open(options)
  await folder.keepFactor(keys, passphrase, null)
  console.log("the passphrase alone opens this folder again")
}

async function open(options: FactorOptions) {
  const folder = new OwnerFolder(homePaths(options.home).owner)
  let passphrase = ""
  const keys = await folder.open(async () => {
    passphrase = await readPassphrase(options.passphraseFile, "The owner's passphrase: ")
    return passphrase
  })
  return { folder, keys, passphrase }
}
