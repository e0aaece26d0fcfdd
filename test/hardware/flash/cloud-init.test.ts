import { execFile } from "node:child_process"
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { parse } from "yaml"
import type { Card } from "../../../hardware/flash/card.ts"
import { cloudInitFiles } from "../../../hardware/flash/cloud-init.ts"
import { bootFiles, newInstance } from "../../../hardware/flash/flash.ts"
import { parseCloudConfig } from "../../../hardware/flash/user-cloud-config.ts"
import { parseWifi } from "../../../hardware/flash/wifi.ts"
import { mutant } from "../../mutants.ts"
import { judge } from "../../support.ts"
import { card, PASSWORD } from "./cards.ts"

const run = promisify(execFile)
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-cloud-init-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const ssh = { user: "pi", keys: [`ssh-ed25519 ${"A".repeat(68)} me@home`] }
const MINE =
  "#cloud-config\npackages: [vim]\nruncmd:\n  - [echo, hello]\nssh_pwauth: yes\nusers:\n  - name: guest\n"
const CARDS: Readonly<Record<string, Card>> = {
  "Wi-Fi by WPA2": card(),
  "Wi-Fi in Norway, whose code is false in YAML": card({
    wifi: parseWifi({ ssid: 'Mein "Netz": é #1', password: PASSWORD, country: "NO", hidden: true }),
  }),
  "an open Wi-Fi whose name is a number": card({
    wifi: parseWifi({ ssid: "0644", password: null, country: "GB" }),
  }),
  "a cable, and nothing else said": card({ wifi: null, hostname: null, timezone: null }),
  "SSH, a serial and a label": card({ ssh, serial: "A1", label: "yes: no #1" }),
  "a cloud-config of the user's": card({ ssh, cloudConfig: parseCloudConfig(MINE, "mine.yaml") }),
}

function fileOf(each: Card, name: string): string {
  return cloudInitFiles(each, "obscura-1").get(name) ?? ""
}

describe.each(Object.entries(CARDS))("the files for %s", (_name, each) => {
  test.skipIf(!judge("cloud-init"))("are what cloud-init's own schema asks for", async () => {
    const path = join(folder, "user-data")
    await writeFile(path, fileOf(each, "user-data"))
    const { stdout } = await run("cloud-init", ["schema", "--config-file", path])
    expect(stdout).toContain(`Valid cloud-config: ${path}`)
  })

  test.skipIf(!judge("netplan"))("are what netplan makes a network of", async () => {
    const root = await mkdtemp(join(folder, "netplan-"))
    await mkdir(join(root, "etc/netplan"), { recursive: true })
    await writeFile(join(root, "etc/netplan/50-cloud-init.yaml"), fileOf(each, "network-config"), {
      mode: 0o600,
    })
    await chmod(root, 0o755)
    const { stderr } = await run("netplan", ["generate", "--root-dir", root])
    expect(stderr).toBe("")
  })
})

test("the schema is a judge that finds fault: a word in the wrong place is none of its valid configs", async () => {
  if (!judge("cloud-init")) return
  const path = join(folder, "wrong")
  await writeFile(path, fileOf(card(), "user-data").replace("bootcmd:", "bootcmd: 7\nnothing:"))
  await expect(run("cloud-init", ["schema", "--config-file", path])).rejects.toThrow(/bootcmd/)
})

describe("a card", () => {
  test("says what was asked for", () => {
    const network = parse(fileOf(card(), "network-config"), { version: "1.1" })
    expect(network.network.wifis.wlan0).toMatchObject({
      "regulatory-domain": "DE",
      optional: false,
      dhcp4: true,
    })
    expect(network.network.wifis.wlan0["access-points"].Household.password).toMatch(/^[0-9a-f]{64}$/)
    const data = parse(fileOf(card(), "user-data"), { version: "1.1" })
    expect(data).toMatchObject({ hostname: "camera-1", timezone: "Europe/Berlin", ssh_pwauth: false })
    const settings = data.write_files.find(
      ({ path }: { path: string }) => path === "/etc/obscura/camera.json",
    )
    expect(JSON.parse(settings.content)).toEqual({ broker: "mqtts://cloud.example" })
    expect(parse(fileOf(card(), "meta-data"))).toMatchObject({
      instance_id: "rpios-image",
      "instance-id": "obscura-1",
    })
  })

  test("leaves SSH off, and makes no user, unless asked", () => {
    const data = fileOf(card(), "user-data")
    expect(parse(data)).not.toHaveProperty("users")
    expect(data).not.toMatch(/enable.*\bssh\b|ssh_authorized_keys/)
    expect(parse(fileOf(card({ ssh }), "user-data"))).toMatchObject({
      users: [{ name: "pi", lock_passwd: true, ssh_authorized_keys: ssh.keys }],
      runcmd: expect.arrayContaining([["systemctl", "enable", "--now", "ssh"]]),
    })
  })

  test("gets the user's own after ours", () => {
    const data = parse(fileOf(CARDS["a cloud-config of the user's"] ?? card(), "user-data"), {
      version: "1.1",
    })
    expect(data.users.map(({ name }: { name: string }) => name)).toEqual(["pi", "guest"])
    expect(data.runcmd.at(-1)).toEqual(["echo", "hello"])
    expect(data.bootcmd[0]).toEqual(["systemctl", "mask", "userconfig.service"])
    expect(data).toMatchObject({ packages: ["vim"], ssh_pwauth: true })
  })

  const filesFor = (each: Card, name = newInstance) =>
    bootFiles(each, Buffer.from("!<arch>\n"), name(), async () => "")

  /** Which of the files hold a text. */
  async function holding(secret: string, each: Card): Promise<readonly string[]> {
    const files = await filesFor(each)
    return [...files].filter(([, bytes]) => Buffer.from(bytes).includes(secret)).map(([name]) => name)
  }

  test("has the Wi-Fi's password nowhere, and its key in one file", async () => {
    expect(await holding(PASSWORD, card())).toEqual([])
    expect(await holding(card().wifi?.secret ?? "?", card())).toEqual(["network-config"])
  })

  test("would be found with the password if that went onto it as it is", async () => {
    const careless = await mutant<{ parseWifi: typeof parseWifi }>("hardware/flash/wifi.ts", {
      path: "hardware/flash/wifi.ts",
      from: "secret: presharedKey(password, ssid)",
      to: "secret: password",
    })
    const wifi = careless.parseWifi({ ssid: "n", password: PASSWORD, country: "DE" })
    expect(await holding(PASSWORD, card({ wifi }))).toEqual(["network-config"])
  })

  test("has no key of the camera's, no machine id, and nothing that names the camera but what its owner gave", async () => {
    const all = [...(await filesFor(card())).values()].map(String).join("\n")
    expect(all).not.toMatch(/PRIVATE KEY|AGE-SECRET|machine-id|ssh_keys|ssh_host/i)
  })

  /** What looks like an id, a key or a token on two cards alike: sixteen digits of hex, or 24 of Base64 that are no word. */
  async function shared(name = newInstance): Promise<readonly string[]> {
    const words = async (serial: string) => {
      const text = [...(await filesFor(card({ serial }), name)).values()].map(String).join("\n")
      return new Set(text.match(/\b[0-9a-f]{16,}\b|(?<![\w/.-])(?=\S*\d)[A-Za-z0-9+]{24,}/g))
    }
    const [one, other] = [await words("A1"), await words("A2")]
    return [...one].filter((word) => other.has(word))
  }

  test("has with another of its batch no secret and no name in common, but for the household's Wi-Fi", async () => {
    expect(await shared()).toEqual([card().wifi?.secret])
  })

  test("would be found to share a name if all had one", async () => {
    const careless = await mutant<{ newInstance: typeof newInstance }>("hardware/flash/flash.ts", {
      path: "hardware/flash/flash.ts",
      from: 'randomBytes(8).toString("hex")',
      to: 'randomBytes(8).fill(7).toString("hex")',
    })
    expect(await shared(careless.newInstance)).toHaveLength(2)
  })
})

describe("what --dry-run shows", () => {
  const secrets = [
    ...[PASSWORD, "hash-of-a-password", "a-token", "MIIEvQ", "psk-of-another"],
    ...["tskey-1", "proxy-password", "secret-in-a-file", "271828"],
  ]
  const mine = `#cloud-config
hostname: camera-1
chpasswd: {users: [{name: a, password: ${PASSWORD}}]}
users: [{name: b, passwd: hash-of-a-password, lock_passwd: false}]
my_module: {api_token: a-token, wifi: [{psk: psk-of-another}], pin: 271828}
apt: {proxy: "http://me:proxy-password@proxy.example"}
runcmd:
  - tailscale up --authkey=tskey-1
  - [curl, -H, "Authorization: tskey-1"]
write_files:
  - path: /etc/key.pem
    content: |
      -----BEGIN PRIVATE KEY-----
      MIIEvQ
  - {path: /etc/other, content: secret-in-a-file}
`
  const secretive = card({
    ssh,
    wifi: parseWifi({ ssid: "n", password: PASSWORD, country: "DE", wpa3: true }),
    cloudConfig: parseCloudConfig(mine, "mine.yaml"),
  })
  const textOf = (files: ReadonlyMap<string, string>) => [...files.values()].join("\n")

  test("are all files, ours as they will be, and of the user's own the keys and no value", () => {
    const shown = textOf(cloudInitFiles(secretive, "x", "masked"))
    const written = textOf(cloudInitFiles(secretive, "x"))
    for (const secret of secrets) {
      expect(written).toContain(secret)
      expect(shown).not.toContain(secret)
    }
    expect(shown).toContain("lock_passwd: false")
    expect(shown).toContain('password: "********"')
    const data = parse(cloudInitFiles(secretive, "x", "masked").get("user-data") ?? "", { version: "1.1" })
    expect(data.hostname).toBe("camera-1")
    expect(data.runcmd.slice(-3)).toEqual([
      ["systemctl", "enable", "--now", "ssh"],
      "********",
      ["********", "********", "********"],
    ])
    expect(data.write_files.at(-1)).toEqual({ path: "********", content: "********" })
    expect(data.users[0].ssh_authorized_keys).toEqual(ssh.keys)
  })

  test.each([
    ["secret: card.wifi.secret && MASK", "secret: card.wifi.secret"],
    ['secrets === "masked" ? withTheirsMasked(whole, ours) : whole', "whole"],
  ])("would be seen to hold one without %s", async (from, to) => {
    const path = "hardware/flash/cloud-init.ts"
    const careless = await mutant<{ cloudInitFiles: typeof cloudInitFiles }>(path, { path, from, to })
    expect(textOf(careless.cloudInitFiles(secretive, "x", "masked"))).toContain(PASSWORD)
  })
})

test("a card keeps swap in memory: rpi-swap's setting for it, where rpi-swap reads it", () => {
  const data = parse(fileOf(card(), "user-data"), { version: "1.1" })
  expect(
    data.write_files.find(({ path }: { path: string }) => path === "/etc/rpi/swap.conf.d/90-obscura.conf"),
  ).toMatchObject({ content: "[Main]\nMechanism=zram\n", permissions: "0644" })
})
