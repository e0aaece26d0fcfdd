import { readFileSync } from "node:fs"
import { stringify } from "yaml"
import type { Card, Ssh } from "./card.ts"
import { type CloudConfig, mergeCloudConfig, PYYAML } from "./user-cloud-config.ts"
import type { Wifi } from "./wifi.ts"

/**
 * The NoCloud files that Raspberry Pi OS (trixie, images from late 2025 on) reads from its boot partition at first boot.
 *
 * @param instance a name for this flashing of this card: cloud-init starts over when it changes, so a card that is flashed
 * again, for the Wi-Fi's password was wrong, is told again. Random, so no two cards have it in common.
 */
export function cloudInitFiles(card: Card, instance: string): ReadonlyMap<string, string> {
  return new Map([
    ["user-data", userData(card)],
    ["network-config", networkConfig(card.wifi)],
    ["meta-data", metaData(instance)],
  ])
}

/** The same card with its secrets masked: what `--dry-run` shows. */
export function masked(card: Card): Card {
  return {
    ...card,
    wifi: card.wifi && { ...card.wifi, secret: card.wifi.secret && MASK },
    cloudConfig: card.cloudConfig && maskedMap(card.cloudConfig),
  }
}

const MASK = "********"
/** Where cloud-init and people keep secrets: `passwd`, `plain_text_passwd`, `api_token`, `private_key`… */
const SECRET_NAME = /pass|secret|token|psk|private|credential|chpasswd|api_?key/i

function maskedMap(map: CloudConfig): CloudConfig {
  return Object.fromEntries(
    Object.entries(map).map(([name, value]) => [
      name,
      SECRET_NAME.test(name) ? maskedAll(value) : maskedIn(value),
    ]),
  )
}

function maskedIn(value: unknown): unknown {
  if (typeof value === "string" && value.includes("PRIVATE KEY-----")) return MASK
  if (Array.isArray(value)) return value.map(maskedIn)
  return typeof value === "object" && value !== null && !(value instanceof Date)
    ? maskedMap({ ...value })
    : value
}

/** `lock_passwd: true` tells nobody anything, and says a lot. */
function maskedAll(value: unknown): unknown {
  return typeof value === "boolean" ? value : MASK
}

function userData(card: Card): string {
  const { hostname, timezone, ssh, cloudConfig } = card
  const ours: CloudConfig = {
    ...(hostname === null ? {} : { hostname, manage_etc_hosts: true }),
    ...(timezone === null ? {} : { timezone }),
    ssh_pwauth: false,
    // Without SSH the image's own user stays as it is, with no password: nobody logs in.
    ...(ssh === null ? {} : { users: [sshUser(ssh)] }),
    write_files: filesOf(card),
    runcmd: [
      ...(ssh === null ? [] : [["systemctl", "enable", "--now", "ssh"]]),
      ["rm", "-f", "/var/lib/obscura-first-boot.done"],
      ["systemctl", "daemon-reload"],
      ["systemctl", "enable", "obscura-first-boot.service"],
      ["systemctl", "start", "--no-block", "obscura-first-boot.service"],
    ],
  }
  const asked = new Map([
    ["hostname", "--hostname"],
    ["timezone", "--timezone"],
  ])
  const whole = cloudConfig === null ? ours : mergeCloudConfig(ours, cloudConfig, "--cloud-init", asked)
  return `#cloud-config\n# Made by obscura flash. Read once, at first boot, and emptied then.\n${toYaml(whole)}`
}

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
    file("/etc/systemd/system/obscura-first-boot.service", "0644", FIRST_BOOT_SERVICE),
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

function toYaml(value: object): string {
  return stringify(value, { ...PYYAML, lineWidth: 0, aliasDuplicateObjects: false })
}
