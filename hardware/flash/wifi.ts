import { pbkdf2Sync } from "node:crypto"
import { Fault } from "../../firmware/errors.ts"

/** One household's Wi-Fi. */
export interface Wifi {
  readonly ssid: string
  /** What goes onto the card: the network's 256-bit key in hex for WPA2, the password itself for WPA3; null: an open network. */
  readonly secret: string | null
  readonly security: "wpa2" | "wpa3" | "open"
  readonly hidden: boolean
  /** ISO 3166-1 alpha-2: which channels and powers the law allows. A Pi's radio stays off without it. */
  readonly country: string
}

export interface WifiInput {
  readonly ssid: string
  /** null: an open network. */
  readonly password: string | null
  readonly country: string | undefined
  readonly wpa3?: boolean
  readonly hidden?: boolean
}

/**
 * WPA2 needs the password only to derive its key, so only the key is handed on: it opens this network and tells nothing of
 * a password that may be used elsewhere too. WPA3 (SAE) needs the password itself.
 *
 * @throws Fault "usage", definite, that never holds the password.
 */
export function parseWifi({ ssid, password, country, wpa3 = false, hidden = false }: WifiInput): Wifi {
  const length = Buffer.byteLength(ssid)
  if (length < 1 || length > 32)
    throw new Fault("usage", `Wi-Fi: a network's name has 1 to 32 bytes; this has ${length}`)
  if (/[^\P{Cc}\u0080-\u009f]/u.test(ssid))
    throw new Fault("usage", "Wi-Fi: the network's name has control characters: type it anew")
  const common = { ssid, hidden, country: parseCountry(country) }
  if (password === null) return { ...common, secret: null, security: "open" }
  if (/^[0-9a-f]{64}$/i.test(password)) {
    if (wpa3) throw new Fault("usage", "Wi-Fi: WPA3 needs the password; a key of 64 hex digits is for WPA2")
    return { ...common, secret: password.toLowerCase(), security: "wpa2" }
  }
  if (!/^[ -~]{8,63}$/.test(password))
    throw new Fault("usage", "Wi-Fi: a password has 8 to 63 letters, digits, spaces and signs of ASCII")
  if (wpa3) return { ...common, secret: password, security: "wpa3" }
  return { ...common, secret: presharedKey(password, ssid), security: "wpa2" }
}

/** IEEE 802.11-2020 §J.4.1: PBKDF2-HMAC-SHA1 of the passphrase, salted with the SSID, 4096 rounds, 256 bits. */
function presharedKey(password: string, ssid: string): string {
  return pbkdf2Sync(password, ssid, 4096, 32, "sha1").toString("hex")
}

const REGIONS = new Intl.DisplayNames(["en"], { type: "region", fallback: "none" })

/** @throws Fault "usage", definite: missing, or no country. */
function parseCountry(text: string | undefined): string {
  if (text === undefined)
    throw new Fault(
      "usage",
      "Wi-Fi: the country is missing, and a Pi's radio stays off without it: give --country, such as --country DE",
    )
  const code = text.toUpperCase()
  if (!/^[A-Z]{2}$/.test(code) || code === "EU" || REGIONS.of(code) === undefined)
    throw new Fault(
      "usage",
      `Wi-Fi: no country has the code ${JSON.stringify(text)}: two letters, such as DE`,
    )
  const usual = new Intl.Locale(`und-${code}`).region
  if (usual !== undefined && usual !== code)
    throw new Fault("usage", `Wi-Fi: the country's code is ${usual}, not ${code}`)
  return code
}
