import { Fault, messageOf } from "../../firmware/errors.ts"
import { networkDialler } from "../dialler.ts"
import { modelNamed } from "../model.ts"
import { parseSettings, type Settings } from "../settings.ts"
import type { CloudConfig } from "./user-cloud-config.ts"
import type { Wifi } from "./wifi.ts"

/** What one camera's card is told. No secret of the camera is among it: its key is made on the camera at first boot. */
export interface Card {
  /** Absent: Ethernet alone. */
  readonly wifi: Wifi | null
  readonly hostname: string | null
  readonly timezone: string | null
  /** Absent keys: SSH stays off. */
  readonly ssh: Ssh | null
  /** What goes to /etc/obscura/camera.json. */
  readonly settings: CheckedSettings
  /** The maker's, for labels and records of tests. */
  readonly serial: string | null
  readonly label: string | null
  /** The user's own, merged into ours. */
  readonly cloudConfig: CloudConfig | null
}

export interface Ssh {
  readonly user: string
  readonly keys: readonly string[]
}

export interface CheckedSettings {
  /** As the person wrote it, with the broker. */
  readonly written: Readonly<Record<string, unknown>>
  readonly parsed: Settings
}

/** @throws Fault "usage", definite. */
export function parseHostname(text: string): string {
  if (!/^(?!-)[a-z0-9-]{1,63}(?<!-)$/i.test(text))
    throw new Fault(
      "usage",
      `host name ${JSON.stringify(text)}: 1 to 63 letters, digits and hyphens, with a hyphen at neither end`,
    )
  return text.toLowerCase()
}

/** @throws Fault "usage", definite. */
export function parseTimezone(text: string): string {
  try {
    new Intl.DateTimeFormat("en", { timeZone: text })
  } catch (cause) {
    throw new Fault("usage", `time zone ${JSON.stringify(text)}: it looks like Europe/Berlin`, { cause })
  }
  // What Intl knows besides, such as +01:00, is no file below /usr/share/zoneinfo.
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/.test(text))
    throw new Fault("usage", `time zone ${JSON.stringify(text)}: it looks like Europe/Berlin`)
  return text
}

const SSH_KEY =
  /^(?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]{40,}={0,2}(?: [^\r\n]*)?$/

/** The public keys of a file such as ~/.ssh/id_ed25519.pub, one a line. @throws Fault "usage", definite, naming the file. */
export function parseSshKeys(text: string, file: string): readonly string[] {
  if (text.includes("PRIVATE KEY"))
    throw new Fault("usage", `${file}: this is a private key, and stays where it is: give ${file}.pub`)
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  const keys = lines.filter((line) => line !== "" && !line.startsWith("#"))
  const wrong = lines.findIndex((line) => keys.includes(line) && !SSH_KEY.test(line))
  if (wrong !== -1) throw new Fault("usage", `${file}:${wrong + 1}: this is no SSH public key`)
  if (keys.length === 0) throw new Fault("usage", `${file}: holds no SSH public key`)
  return keys
}

/** A user that Debian's adduser takes too. @throws Fault "usage", definite. */
export function parseUser(text: string): string {
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(text) || text === "root" || text === "obscura")
    throw new Fault(
      "usage",
      `user ${JSON.stringify(text)}: small letters, digits, hyphens; not root, not obscura`,
    )
  return text
}

/** For labels and file names. @throws Fault "usage", definite. */
export function parseSerial(text: string): string {
  if (!/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/.test(text))
    throw new Fault("usage", `serial ${JSON.stringify(text)}: 1 to 64 letters, digits, dots, hyphens`)
  return text
}

/** @throws Fault "usage", definite. */
export function parseLabel(text: string): string {
  if (text.length > 64 || !/^[\p{L}\p{N}\p{P}\p{Zs}]*$/u.test(text))
    throw new Fault(
      "usage",
      `label ${JSON.stringify(text.slice(0, 80))}: up to 64 letters, digits, signs, spaces`,
    )
  return text
}

/**
 * The settings a card gets, checked as the camera will check them, though for the most able board: this laptop cannot
 * know which Pi the card goes into.
 *
 * @param text JSON, or null without a file.
 * @throws Fault "usage", definite, naming `file` and the field.
 */
export function checkSettings(text: string | null, file: string, broker: string | null): CheckedSettings {
  const said = text === null ? {} : objectOf(text, file)
  if (broker !== null && said.broker !== undefined && said.broker !== broker)
    throw new Fault("usage", `broker: --broker and ${file} name two; leave one out`)
  const written = broker === null ? said : { ...said, broker }
  try {
    const parsed = parseSettings(written, modelNamed(""))
    if (parsed.broker !== undefined) networkDialler(parsed.broker)
    return { written, parsed }
  } catch (cause) {
    throw new Fault("usage", text === null ? messageOf(cause) : `${file}: ${messageOf(cause)}`, { cause })
  }
}

function objectOf(text: string, file: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value }
  } catch (cause) {
    throw new Fault("usage", `${file}: this is no JSON (${messageOf(cause)})`, { cause })
  }
  throw new Fault("usage", `${file}: settings are a JSON object`)
}
