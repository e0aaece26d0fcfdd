import type { CameraConfig } from "../../firmware/config.ts"
import { Fault } from "../../firmware/errors.ts"

const BEGIN = "# obscura: begin"
const END = "# obscura: end"

/** GPIOs that the kernel's pwm overlay can drive, to the function of that pin (overlays/README of the Pi's firmware). */
const PWM_FUNCTIONS: Readonly<Record<number, number>> = { 12: 4, 13: 4, 18: 2, 19: 2 }

/**
 * config.txt with what this camera's pins need, between two markers, once; the rest as it was.
 * @throws Fault "usage", definite: a shutter on a pin without PWM.
 */
export function withOverlays(configTxt: string, pins: CameraConfig["pins"]): string {
  const rest = withoutOurs(configTxt)
  const overlays = overlaysFor(pins)
  if (overlays.length === 0) return rest
  const gap = rest === "" || rest.endsWith("\n") ? "" : "\n"
  // Our lines are for every Pi, whatever section the file ends in.
  return `${rest}${gap}${[BEGIN, "[all]", ...overlays, END].join("\n")}\n`
}

function overlaysFor({ shutter }: CameraConfig["pins"]): readonly string[] {
  if (shutter === undefined) return []
  const pwm = PWM_FUNCTIONS[shutter]
  if (pwm === undefined)
    throw new Fault(
      "usage",
      `camera.pins.shutter: GPIO ${shutter} has no PWM for a servo; take 12, 13, 18 or 19`,
    )
  return [`dtoverlay=pwm,pin=${shutter},func=${pwm}`]
}

function withoutOurs(text: string): string {
  const begin = text.indexOf(`${BEGIN}\n`)
  const end = text.indexOf(`${END}\n`, begin)
  return begin === -1 || end === -1 ? text : text.slice(0, begin) + text.slice(end + END.length + 1)
}

/**
 * The kernel's command line, one line, with the country of the radio. Raspberry Pi OS copies it here from netplan as well,
 * but passes over countries that YAML has to quote, such as NO.
 */
export function withCountry(cmdlineTxt: string, country: string | null): string {
  const words = cmdlineTxt
    .split(/\s+/)
    .filter((word) => word !== "" && !word.startsWith("cfg80211.ieee80211_regdom="))
  return country === null ? cmdlineTxt : `${[...words, `cfg80211.ieee80211_regdom=${country}`].join(" ")}\n`
}
