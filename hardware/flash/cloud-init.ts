import { readFileSync } from "node:fs"
import { stringify } from "yaml"
import type { Card, Ssh } from "./card.ts"
import { MASK, withTheirsMasked } from "./mask.ts"
import { type CloudConfig, mergeCloudConfig, PYYAML } from "./user-cloud-config.ts"
import type { Wifi } from "./wifi.ts"

/**
 * The NoCloud files that Raspberry Pi OS (trixie, images from late 2025 on) reads from its boot partition at first boot.
 *
 * @param instance a name for this flashing of this card: cloud-init starts over when it changes, so a card that is flashed
 * again, for the Wi-Fi's password was wrong, is told again. Random, so no two cards have it in common.
 * @param secrets "masked": what `--dry-run` shows, without the Wi-Fi's secret and without any value of the user's own.
 */
export function cloudInitFiles(
  card: Card,
  instance: string,
  secrets: Secrets = "written",
): ReadonlyMap<string, string> {
  const wifi =
    card.wifi && secrets === "masked" ? { ...card.wifi, secret: card.wifi.secret && MASK } : card.wifi
  return new Map([
    ["user-data", userData(card, secrets)],
    ["network-config", networkConfig(wifi)],
    ["meta-data", metaData(instance)],
  ])
}

export type Secrets = "written" | "masked"

function userData(card: Card, secrets: Secrets): string {
  const { hostname, timezone, ssh, cloudConfig } = card
  const ours: CloudConfig = {
    ...(hostname === null ? {} : { hostname, manage_etc_hosts: true }),
    ...(timezone === null ? {} : { timezone }),
    ssh_pwauth: false,
    // Without SSH the image's own user stays as it is, with no password: nobody logs in.
    ...(ssh === null ? {} : { users: [sshUser(ssh)] }),
    write_files: filesOf(card),
    bootcmd: startFirstBoot(),
    ...(ssh === null ? {} : { runcmd: SSH_ON }),
  }
  const asked = new Map([
    ["hostname", "--hostname"],
    ["timezone", "--timezone"],
  ])
  const whole = cloudConfig === null ? ours : mergeCloudConfig(ours, cloudConfig, "--cloud-init", asked)
  const shown = secrets === "masked" ? withTheirsMasked(whole, ours) : whole
  return `#cloud-config\n# Made by obscura flash. Read once, at first boot, and emptied then.\n${toYaml(shown)}`
}

/** The banner of userconf-pi says that SSH may not work, until a user was asked for. */
const SSH_ON = [
  ["rm", "-f", "/etc/ssh/sshd_config.d/rename_user.conf"],
  ["systemctl", "enable", "--now", "ssh"],
]

function sshUser({ user, keys }: Ssh): object {
  return {
    name: user,
    groups: "users,adm,video,gpio,sudo",
    shell: "/bin/bash",
    lock_passwd: true,
    sudo: "ALL=(ALL) NOPASSWD:ALL",
    ssh_authorized_keys: keys,
  }
}

const FIRST_BOOT = readFileSync(new URL("./first-boot.sh", import.meta.url), "utf8")
const FIRST_BOOT_SERVICE = readFileSync(new URL("./obscura-first-boot.service", import.meta.url), "utf8")
const UNIT = "obscura-first-boot.service"

/**
 * In cloud-init's early stage, before it has written files: runcmd's comes after multi-user.target, and so after whatever
 * holds that. It runs at every boot; the unit's condition starts the first boot once for each flashing.
 */
function startFirstBoot(): readonly (readonly string[])[] {
  return [
    // The kernel's command line says so too, but the next system's may not.
    ["systemctl", "mask", "userconfig.service"],
    ["sh", "-c", 'printf "%s" "$1" >"$0"', `/etc/systemd/system/${UNIT}`, FIRST_BOOT_SERVICE],
    ["systemctl", "daemon-reload"],
    ["systemctl", "enable", UNIT],
    ["systemctl", "start", "--no-block", UNIT],
  ]
}

/** rpi-swap's (swap.conf(5)): swap in compressed memory alone. As it ships, it moves such pages into a file on the card. */
const NO_SWAP_FILE = "[Main]\nMechanism=zram\n"

function filesOf({ settings, serial, label }: Card): object[] {
  const file = (path: string, permissions: string, content: string) => ({
    path,
    owner: "root:root",
    permissions,
    content,
  })
  return [
    file("/etc/obscura/camera.json", "0644", `${JSON.stringify(settings.written, null, 2)}\n`),
    ...(serial === null && label === null
      ? []
      : [file("/etc/obscura/card.json", "0644", `${JSON.stringify({ serial, label })}\n`)]),
    file("/usr/local/lib/obscura/first-boot", "0755", FIRST_BOOT),
    file("/etc/rpi/swap.conf.d/90-obscura.conf", "0644", NO_SWAP_FILE),
  ]
}

/** Netplan, version 2. Of the two interfaces the one that the card is made for is waited for. */
function networkConfig(wifi: Wifi | null): string {
  const whole = {
    network: {
      version: 2,
      ethernets: { eth0: { dhcp4: true, optional: wifi !== null } },
      ...(wifi === null ? {} : { wifis: { wlan0: wirelessOf(wifi) } }),
    },
  }
  return `# Made by obscura flash. Read once, at first boot; the Wi-Fi's secret is wiped from here then.\n${toYaml(whole)}`
}

function wirelessOf({ ssid, secret, security, hidden, country }: Wifi): object {
  return {
    dhcp4: true,
    optional: false,
    "regulatory-domain": country,
    "access-points": {
      [ssid]: {
        ...(hidden ? { hidden: true } : {}),
        ...(security === "wpa2" ? { password: secret } : {}),
        ...(security === "wpa3" ? { auth: { "key-management": "sae", password: secret } } : {}),
      },
    },
  }
}

/** `instance_id` is the image's own spelling, which cloud-init passes over; `instance-id` is what it looks at. */
function metaData(instance: string): string {
  return toYaml({ dsmode: "local", instance_id: "rpios-image", "instance-id": instance })
}

function toYaml(value: unknown): string {
  return stringify(value, { ...PYYAML, lineWidth: 0, aliasDuplicateObjects: false })
}
