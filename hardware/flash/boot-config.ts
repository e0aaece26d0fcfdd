import type { CameraConfig } from "../../firmware/config.ts"

const BEGIN = "# obscura: begin"
const END = "# obscura: end"

/** config.txt with what this camera's pins need, between two markers, once; the rest as it was. */
export function withOverlays(configTxt: string, pins: CameraConfig["pins"]): string {
  const rest = withoutOurs(configTxt)
  const overlays = overlaysFor(pins)
  if (overlays.length === 0) return rest
  const gap = rest === "" || rest.endsWith("\n") ? "" : "\n"
  // Our lines are for every Pi, whatever section the file ends in.
  return `${rest}${gap}${[BEGIN, "[all]", ...overlays, END].join("\n")}\n`
}

/** The kernel's pwm overlay and its function of that pin (overlays/README of the Pi's firmware): 12, 13: 4; 18, 19: 2. */
function overlaysFor({ shutter }: CameraConfig["pins"]): readonly string[] {
  // Settings let a shutter be on those four alone.
  return shutter === undefined ? [] : [`dtoverlay=pwm,pin=${shutter},func=${shutter < 18 ? 4 : 2}`]
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

const NO_WIZARD = "systemd.mask=userconfig.service"

/**
 * The same line without Raspberry Pi OS's question for a user, at every boot. Until somebody answers it at a keyboard, its
 * service (userconf-pi) holds multi-user.target and with it cloud-init's last stage, also where SSH has a user but no
 * password; and who answers it becomes an administrator.
 */
export function withoutWizard(cmdlineTxt: string): string {
  const words = cmdlineTxt.split(/\s+/).filter((word) => word !== "")
  return words.includes(NO_WIZARD) ? cmdlineTxt : `${[...words, NO_WIZARD].join(" ")}\n`
}
