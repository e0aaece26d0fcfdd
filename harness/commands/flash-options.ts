import { readFile } from "node:fs/promises"
import { type Command, Option } from "commander"
import { Fault, messageOf } from "../../firmware/errors.ts"
import {
  type Card,
  checkSettings,
  parseHostname,
  parseLabel,
  parseSerial,
  parseSshKeys,
  parseTimezone,
  parseUser,
} from "../../hardware/flash/card.ts"
import { parseCloudConfig } from "../../hardware/flash/user-cloud-config.ts"
import { parseWifi, type Wifi } from "../../hardware/flash/wifi.ts"
import { parsedBy } from "./options.ts"
import { type ModelOptions, modelHashOption } from "./packed-model.ts"
import { askSecretly } from "./passphrase.ts"

export interface FlashOptions extends ModelOptions {
  readonly boot?: string
  readonly image?: string
  readonly wifi?: string
  readonly wifiPasswordFile?: string
  readonly wifiOpen?: boolean
  readonly wifiWpa3?: boolean
  readonly wifiHidden?: boolean
  readonly country?: string
  readonly hostname?: string
  readonly timezone?: string
  readonly sshKey?: readonly string[]
  readonly sshUser?: string
  readonly broker?: string
  readonly settings?: string
  readonly cloudInit?: string
  readonly serial?: string
  readonly label?: string
  readonly batch?: string
  readonly out?: string
  readonly package?: string
  readonly manifest?: string
  readonly dryRun?: boolean
}

export function withFlashOptions(command: Command): Command {
  return command
    .option("--boot <dir>", "the card's boot partition, as this computer has mounted it: .../bootfs")
    .addOption(
      new Option("--image <file>", "an image of Raspberry Pi OS instead (needs mtools)").conflicts("boot"),
    )
    .option("--wifi <ssid>", "the Wi-Fi's name; without it the camera uses its cable")
    .option("--wifi-password-file <file>", "its password; else OBSCURA_WIFI_PASSWORD, else it is asked for")
    .addOption(new Option("--wifi-open", "it has no password").conflicts("wifiPasswordFile"))
    .option("--wifi-wpa3", "it speaks WPA3 alone: the password itself goes onto the card, until first boot")
    .option("--wifi-hidden", "it does not say its name")
    .option("--country <code>", "whose radio rules hold: DE, GB, US...; needed with --wifi")
    .addOption(
      new Option("--hostname <name>", "the camera's name in its network").argParser(parsedBy(parseHostname)),
    )
    .addOption(new Option("--timezone <zone>", "such as Europe/Berlin").argParser(parsedBy(parseTimezone)))
    .option("--ssh-key <file...>", "turn SSH on, for these public keys alone; else it stays off")
    .addOption(
      new Option("--ssh-user <name>", "who they log in as").argParser(parsedBy(parseUser)).default("pi"),
    )
    .option("--broker <url>", "mqtts://host[:8883]")
    .option("--settings <file>", "the camera's settings, JSON: pins, lens, recording")
    .option(
      "--cloud-init <file>",
      "a cloud-config of your own, merged: lists one after the other, your values first",
    )
    .addOption(
      new Option("--serial <serial>", "this camera's serial number").argParser(parsedBy(parseSerial)),
    )
    .addOption(new Option("--label <text>", "what its label says").argParser(parsedBy(parseLabel)))
    .option("--batch <csv>", "many cards: lines of serial,hostname,label; with --serial the one of them")
    .option("--out <dir>", "with --batch and --image: an image for each card, <serial>.img")
    .option("--package <file>", "this .deb instead of one built now")
    .addOption(
      new Option(
        "--model <file|url>",
        "a model for recognition, to go with the package: obscura model list knows some",
      ).conflicts("package"),
    )
    .addOption(modelHashOption())
    .option("--manifest <file>", "with --image: also what Raspberry Pi Imager must be told of it")
    .option("--dry-run", "show every file, with secrets masked, and write nothing")
}

/** @throws Fault "usage", definite, for whatever does not fit together. */
export function refuseMismatch(options: FlashOptions): void {
  const { boot, image, batch, out, serial, manifest, dryRun, wifi } = options
  const refuse = (message: string) => {
    throw new Fault("usage", message)
  }
  if (boot === undefined && image === undefined && !dryRun)
    refuse("where to? --boot <folder of the mounted card>, or --image <file>; or look first with --dry-run")
  if (batch !== undefined && serial === undefined && image !== undefined && out === undefined && !dryRun)
    refuse("--batch with --image makes an image for each card: give --out, or choose one card with --serial")
  if (out !== undefined && (batch === undefined || image === undefined || serial !== undefined))
    refuse("--out goes with --batch and --image")
  if (batch !== undefined && (options.hostname !== undefined || options.label !== undefined))
    refuse("--hostname and --label come from the --batch; leave them out")
  if (manifest !== undefined && (image === undefined || out !== undefined))
    refuse("--manifest goes with one --image")
  const wireless = ["wifiPasswordFile", "wifiOpen", "wifiWpa3", "wifiHidden", "country"] as const
  const lonely = wireless.find((name) => options[name] !== undefined)
  if (wifi === undefined && lonely !== undefined)
    refuse(`--${lonely.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} goes with --wifi`)
}

/** What all cards of this call have in common. @throws Fault "usage", definite. */
export async function readCard(options: FlashOptions, env: NodeJS.ProcessEnv): Promise<Card> {
  const { settings, cloudInit, sshKey } = options
  const keys = []
  for (const file of sshKey ?? []) keys.push(...parseSshKeys(await readText(file, "--ssh-key"), file))
  const settingsText = settings === undefined ? null : await readText(settings, "--settings")
  return {
    wifi: await readWifi(options, env),
    hostname: options.hostname ?? null,
    timezone: options.timezone ?? null,
    ssh: sshKey === undefined ? null : { user: options.sshUser ?? "pi", keys },
    settings: checkSettings(settingsText, settings ?? "", options.broker ?? null),
    serial: options.serial ?? null,
    label: options.label ?? null,
    cloudConfig:
      cloudInit === undefined ? null : parseCloudConfig(await readText(cloudInit, "--cloud-init"), cloudInit),
  }
}

async function readWifi(options: FlashOptions, env: NodeJS.ProcessEnv): Promise<Wifi | null> {
  const { wifi: ssid, wifiOpen, wifiWpa3: wpa3 = false, wifiHidden: hidden = false, country } = options
  if (ssid === undefined) return null
  // What needs no password is wrong or right without it, too.
  parseWifi({ ssid, password: null, country })
  const password = wifiOpen ? null : await readPassword(options, env)
  return parseWifi({ ssid, password, country, wpa3, hidden })
}

async function readPassword(
  { wifi, wifiPasswordFile }: FlashOptions,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const text =
    wifiPasswordFile === undefined
      ? (env.OBSCURA_WIFI_PASSWORD ??
        (await askSecretly(
          `Password of the Wi-Fi ${wifi}: `,
          "the Wi-Fi's password: give --wifi-password-file, or OBSCURA_WIFI_PASSWORD",
        )))
      : await readText(wifiPasswordFile, "--wifi-password-file")
  return text.replace(/\r?\n$/, "")
}

export async function readText(file: string, option: string): Promise<string> {
  try {
    return await readFile(file, "utf8")
  } catch (cause) {
    throw new Fault("usage", `${option} ${file}: cannot be read (${messageOf(cause)})`, { cause })
  }
}
