import { type Card, checkSettings } from "../../../hardware/flash/card.ts"
import { parseWifi } from "../../../hardware/flash/wifi.ts"

export const PASSWORD = "correct horse battery"

/** A card of a household's, with what differs. */
export function card(changed: Partial<Card> = {}): Card {
  return {
    wifi: parseWifi({ ssid: "Household", password: PASSWORD, country: "DE" }),
    hostname: "camera-1",
    timezone: "Europe/Berlin",
    ssh: null,
    settings: checkSettings(null, "", "mqtts://cloud.example"),
    serial: null,
    label: null,
    cloudConfig: null,
    ...changed,
  }
}

/** What of its boot partition matters here. */
export const RASPBERRY_PI_OS: Readonly<Record<string, string>> = {
  "config.txt": "camera_auto_detect=1\n",
  "cmdline.txt": "console=tty1 root=PARTUUID=1 rootwait\n",
  "meta-data": "instance_id: rpios-image\n",
  "user-data": "#cloud-config\n",
  "network-config": "network:\n",
  "overlays.bin": "x",
}
export const PACKAGE = Buffer.from("!<arch>\npackage")
