import { execFile } from "node:child_process"
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { LIGHT_CODES } from "../../../firmware/pins/status-light.ts"
import { bootFiles, newInstance } from "../../../hardware/flash/flash.ts"
import { root } from "../../support.ts"
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
  await put("var/lib/cloud/instance/user-data.txt", "secret")
  await put("sys/class/leds/ACT/trigger", "none [mmc0] timer\n")
  await put("proc/swaps", "Filename Type Size Used Priority\n/dev/zram0 partition 1 0 100\n")
  await model("Raspberry Pi Zero 2 W Rev 1.0")
  await tool("sleep", "")
  await tool("sync", "")
  await tool("hostname", "echo camera-1")
  await tool("rfkill", "")
  await tool("systemctl", 'echo systemctl "$@" >>"$OBSCURA_ROOT/said"')
  await tool("journalctl", "echo the last words of the camera")
  await tool("cloud-init", "")
  await tool("swapoff", 'echo swapoff "$@" >>"$OBSCURA_ROOT/said"')
  await tool("rpicam-vid", "echo Available cameras")
  await tool("ip", '[ "$1" = -6 ] || echo default via 192.0.2.1 dev wlan0')
  await tool("apt-get", 'echo apt-get "$@" >>"$OBSCURA_ROOT/said"')
  await camera({ running: true, said: { state: "booting" } })
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

const model = (name: string) => put("proc/device-tree/model", `${name}\0`)

/** obscura-camera, which prints this report as `status --json`. */
const camera = (report: object) =>
  tool(
    "obscura-camera",
    `[ "$2" = --json ] && { cat <<'END'
${JSON.stringify(report, null, 2)}
END
exit; }
echo camera      0123abcd, no owner yet: press its button`,
  )

const read = (path: string) => readFile(join(pi, path), "utf8")
const status = () => read("boot/firmware/obscura-status.txt")

/** Of cloud-init's instance: a card that is flashed again has another, and another first boot. */
const DONE = "var/lib/cloud/instance/obscura-first-boot.done"

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
      /apt-get update\napt-get .* -y install .*obscura-camera\.deb\nsystemctl is-active .*obscura-camera\.service\nsystemctl disable obscura-first-boot\.service\n$/,
    )
    expect(await stat(join(pi, DONE))).toBeDefined()
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
    await expect(stat(join(pi, DONE))).rejects.toThrow()
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

  /** How the board's own light blinks: on, off. */
  const light = async () => [
    await read("sys/class/leds/ACT/trigger"),
    Number(await read("sys/class/leds/ACT/delay_on")),
    Number(await read("sys/class/leds/ACT/delay_off")),
  ]

  test("blinks the board's own light in the codes of the camera's: booting while it works, ready, or a fault", async () => {
    await tool("apt-get", 'cat "$OBSCURA_ROOT"/sys/class/leds/ACT/delay_* >"$OBSCURA_ROOT/meanwhile"')
    expect(await boot()).toBe(0)
    expect((await read("meanwhile")).trim().split("\n").map(Number)).toEqual(
      [...LIGHT_CODES.booting].reverse(),
    )
    expect(await light()).toEqual(["timer\n", ...LIGHT_CODES.ready])
    await tool("apt-get", "exit 1")
    expect(await boot()).toBe(1)
    expect(await light()).toEqual(["timer\n", ...LIGHT_CODES.fault])
  })

  test("without a light of its own goes on", async () => {
    await rm(join(pi, "sys"), { recursive: true })
    expect(await boot()).toBe(0)
  })

  test.each([
    ["does not run", { running: false, said: null }],
    ["says a fault", { running: true, said: { state: "fault" } }],
    ["stopped", { running: true, said: { state: "stopped" } }],
  ])("of a camera that %s says so, and not that it is ready; and is tried again", async (_what, report) => {
    await camera(report)
    expect(await boot()).toBe(1)
    expect(await status()).toMatch(/^state: failed\n[\s\S]*does not work[\s\S]*the last words of the camera/m)
    await expect(stat(join(pi, DONE))).rejects.toThrow()
    await camera({ running: true, said: { state: "ready" } })
    expect(await boot()).toBe(0)
  })

  test("of a service that is not active says so, whatever its program says", async () => {
    await tool("systemctl", '[ "$1" != is-active ]')
    expect(await boot()).toBe(1)
    expect(await status()).toMatch(/^state: failed\n[\s\S]*does not work/m)
  })

  test("would be seen to call a broken camera ready", async () => {
    await camera({ running: true, said: { state: "fault" } })
    expect(await boot("if ! try 6 camera_answers", "if false")).toBe(0)
    expect(await status()).toMatch(/^state: ready$/m)
  })

  test("without a camera module says to look at its cable", async () => {
    await tool("rpicam-vid", "echo No cameras available!")
    expect(await boot()).toBe(1)
    expect(await status()).toMatch(/^state: failed\n[\s\S]*sees no camera module[\s\S]*look at the cable/m)
  })

  test.each([
    ["Raspberry Pi 5 Model B Rev 1.0", true, / rpicam-apps$/m],
    ["Raspberry Pi Compute Module 5 Rev 1.0", true, / rpicam-apps$/m],
    ["Raspberry Pi Zero 2 W Rev 1.0", false, / rpicam-apps-lite$/m],
    ["Raspberry Pi 4 Model B Rev 1.5", true, /obscura-camera\.deb$/m],
  ])("on %s (rpicam-vid there: %s) installs what its encoder needs", async (name, there, asked) => {
    await model(name)
    if (!there) {
      await rm(join(pi, "tools/rpicam-vid"))
      await tool(
        "apt-get",
        'echo apt-get "$@" >>"$OBSCURA_ROOT/said"; printf "#!/bin/sh\\n" >"$OBSCURA_ROOT/tools/rpicam-vid"; chmod +x "$OBSCURA_ROOT/tools/rpicam-vid"',
      )
    }
    expect(await boot()).toBe(0)
    expect((await read("said")).match(/^apt-get .*install.*$/m)?.[0]).toMatch(asked)
  })

  test("keeps swap in memory before the camera is there: nothing is written back, no file is swapped to", async () => {
    await put("proc/swaps", "Filename Type\n/dev/zram0 partition\n/var/swap file\n")
    expect(await boot()).toBe(0)
    expect(await read("said")).toMatch(
      /^systemctl stop rpi-zram-writeback\.timer rpi-zram-writeback\.service\nswapoff \/var\/swap\napt-get/,
    )
    await tool("swapoff", "exit 1")
    expect(await boot()).toBe(1)
    expect(await status()).toContain("swap on the card could not be turned off")
  })

  test("takes away what another set-up left: a Wi-Fi's password, or a user's", async () => {
    for (const name of ["custom.toml", "wpa_supplicant.conf", "userconf.txt"])
      await put(`boot/firmware/${name}`, "hunter2")
    expect(await boot()).toBe(0)
    expect(await readdir(join(pi, "boot/firmware"))).toEqual(
      expect.not.arrayContaining(["custom.toml", "wpa_supplicant.conf", "userconf.txt"]),
    )
  })
})
