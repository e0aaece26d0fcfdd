import { execFile } from "node:child_process"
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { bootFiles, newInstance } from "../../../hardware/flash/flash.ts"
import { judge, root } from "../../support.ts"
import { card } from "./cards.ts"

/** A Pi's first boot, in a folder: its boot partition is what flash writes, and Debian's tools are stand-ins. */
let pi: string
beforeEach(async () => {
  pi = await mkdtemp(join(tmpdir(), "obscura-first-boot-"))
  const files = await bootFiles(
    card({ serial: "A1" }),
    Buffer.from("!<arch>\n"),
    newInstance(),
    async () => "",
  )
  for (const [name, bytes] of files) await put(`boot/firmware/${name}`, bytes)
  const netplan = String(files.get("network-config"))
  await put("etc/netplan/50-cloud-init.yaml", netplan)
  await put("var/lib/cloud/instances/x/user-data.txt", "secret")
  await put("var/lib/cloud/instances/x/obj.pkl", "secret")
  const applied = `Applying network configuration: {'wifis': {'wlan0': {'access-points': {'n': {'password': '${card().wifi?.secret}'}}}}}`
  await put("var/log/cloud-init.log", `first\n${applied}\nlast\n`)
  await put("etc/obscura/card.json", '{"serial":"A1","label":null}\n')
  await put("run/systemd/timesync/synchronized", "")
  await tool("sleep", "")
  await tool("sync", "")
  await tool("hostname", "echo camera-1")
  await tool("rfkill", "")
  await tool("systemctl", 'echo systemctl "$@" >>"$OBSCURA_ROOT/said"')
  await tool("ip", '[ "$1" = -6 ] || echo default via 192.0.2.1 dev wlan0')
  await tool("apt-get", 'echo apt-get "$@" >>"$OBSCURA_ROOT/said"')
  await tool("obscura-camera", "echo camera      0123abcd, no owner yet: press its button")
})
afterEach(() => rm(pi, { recursive: true, force: true }))

async function put(path: string, bytes: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(pi, path)), { recursive: true })
  await writeFile(join(pi, path), bytes)
}

async function tool(name: string, script: string): Promise<void> {
  await put(`tools/${name}`, `#!/bin/sh\n${script}\n`)
  await chmod(join(pi, "tools", name), 0o755)
}

const read = (path: string) => readFile(join(pi, path), "utf8")
const status = () => read("boot/firmware/obscura-status.txt")

/** `mistake` for `right` in the script. */
async function boot(right = "", mistake = ""): Promise<number> {
  const script = await readFile(join(root, "hardware/flash/first-boot.sh"), "utf8")
  if (!script.includes(right)) throw new Error(`mutant: no "${right}"`)
  await put("first-boot.sh", script.replace(right, mistake))
  const env = { PATH: `${join(pi, "tools")}:${process.env.PATH}`, OBSCURA_ROOT: pi }
  return new Promise((resolve) => {
    execFile("sh", [join(pi, "first-boot.sh")], { env }, (error) => resolve(Number(error?.code ?? 0)))
  })
}

describe("the first boot", () => {
  test("installs the camera and says so on the boot partition, with its id", async () => {
    expect(await boot()).toBe(0)
    expect(await status()).toMatch(
      /^state: ready\n[\s\S]*host: {2}camera-1\n[\s\S]*"serial":"A1"[\s\S]*0123abcd/m,
    )
    expect(await read("said")).toMatch(
      /^apt-get update\napt-get .* -y install .*obscura-camera\.deb\nsystemctl disable obscura-first-boot\.service\n$/,
    )
    expect(await stat(join(pi, "var/lib/obscura-first-boot.done"))).toBeDefined()
  })

  test("wipes the Wi-Fi's key from the boot partition, and leaves files that cloud-init finds nothing new in", async () => {
    const secret = card().wifi?.secret ?? ""
    expect(await read("boot/firmware/network-config")).toContain(secret)
    await boot()
    for (const name of await readdir(join(pi, "boot/firmware")))
      expect(await read(`boot/firmware/${name}`)).not.toContain(secret)
    expect(await read("boot/firmware/user-data")).toMatch(/^#cloud-config\n[\s\S]*preserve_hostname: true\n$/)
    expect(await read("boot/firmware/meta-data")).toContain("instance-id: obscura-")
    expect(await read("etc/netplan/50-cloud-init.yaml")).toContain(secret)
  })

  test("would be seen not to have wiped it", async () => {
    expect(await boot("\nwipe_secrets\n", "\n")).toBe(0)
    expect(await read("boot/firmware/network-config")).toContain(card().wifi?.secret)
  })

  test("takes it out of cloud-init's log, and leaves the rest of that", async () => {
    await boot()
    expect(await read("var/log/cloud-init.log")).toBe("first\nlast\n")
  })

  test("keeps cloud-init's own copies for root alone", async () => {
    await boot()
    for (const path of [
      "var/lib/cloud/instances/x/user-data.txt",
      "var/lib/cloud/instances/x/obj.pkl",
      "etc/netplan/50-cloud-init.yaml",
    ])
      expect((await stat(join(pi, path))).mode & 0o777).toBe(0o600)
  })

  test("with the wrong Wi-Fi password says what to do, is tried again, and has wiped the key all the same", async () => {
    await tool("ip", "")
    expect(await boot()).toBe(1)
    expect(await status()).toMatch(
      /^state: failed\n[\s\S]*no network[\s\S]*is the Wi-Fi's name and password right/m,
    )
    expect(await read("boot/firmware/network-config")).not.toContain(card().wifi?.secret)
    await expect(stat(join(pi, "var/lib/obscura-first-boot.done"))).rejects.toThrow()
    await tool("ip", "echo default via 192.0.2.1")
    expect(await boot()).toBe(0)
    expect(await status()).toMatch(/^state: ready$/m)
  })

  test("where cloud-init took nothing over leaves the Wi-Fi there, and says so", async () => {
    await rm(join(pi, "etc/netplan/50-cloud-init.yaml"))
    expect(await boot()).toBe(1)
    expect(await status()).toMatch(/^state: failed\n[\s\S]*not taken over by cloud-init/m)
    expect(await read("boot/firmware/network-config")).toContain(card().wifi?.secret)
  })

  test("whose package cannot be installed shows apt's last words", async () => {
    await tool("apt-get", "echo E: Unable to locate package nodejs >&2; exit 100")
    expect(await boot()).toBe(1)
    expect(await status()).toMatch(/^state: failed\n[\s\S]*Unable to locate package nodejs/m)
  })

  test("without the package says to flash the card again", async () => {
    await rm(join(pi, "boot/firmware/obscura-camera.deb"))
    expect(await boot()).toBe(1)
    expect(await status()).toMatch(/obscura-camera\.deb is not on the boot partition/)
  })

  test("without the time goes on: a Pi whose network has no time server still becomes a camera", async () => {
    await rm(join(pi, "run/systemd/timesync/synchronized"))
    expect(await boot()).toBe(0)
  })

  test.skipIf(!judge("systemd-analyze"))("is a service that systemd takes", async () => {
    const path = join(pi, "obscura-first-boot.service")
    const text = await readFile(join(root, "hardware/flash/obscura-first-boot.service"), "utf8")
    await writeFile(path, text.replace("/usr/local/lib/obscura/first-boot", "/bin/true"))
    const said = await new Promise<string>((resolve) => {
      execFile("systemd-analyze", ["verify", path], (_error, _stdout, stderr) => resolve(stderr))
    })
    expect(said.split("\n").filter((line) => line.includes("obscura-first-boot"))).toEqual([])
  })
})
