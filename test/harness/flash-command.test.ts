import { execFileSync } from "node:child_process"
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest"
import { flashCommand } from "../../harness/commands/flash.ts"
import { judge } from "../support.ts"
import { obscura } from "./run-obscura.ts"

const PASSWORD = "correct horse battery"
let folder: string
let boot: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-flash-"))
  const files = {
    password: `${PASSWORD}\n`,
    short: "short\n",
    "camera.deb": "!<arch>\npackage",
    "other.deb": "this is no package",
    "key.pub": `ssh-ed25519 ${"A".repeat(68)} me\n`,
    key: "-----BEGIN OPENSSH PRIVATE KEY-----\n",
    "broken.yaml": "#cloud-config\npackages: [vim\n",
    "settings.json": '{"camera":{"pins":{"shutter":4}}}',
    "batch.csv": "serial,hostname,label\nA1,camera-1,Front door\nA2,camera-2,Garden\n",
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
})
afterAll(() => rm(folder, { recursive: true, force: true }))
beforeEach(async () => {
  boot = await mkdtemp(join(folder, "bootfs-"))
  await bootFilesIn(boot)
})

async function bootFilesIn(where: string): Promise<void> {
  for (const name of ["config.txt", "cmdline.txt", "meta-data"]) await writeFile(join(where, name), "x\n")
}

const at = (name: string) => join(folder, name)
const PACKED = () => ["--package", at("camera.deb")]
const WIFI = () => ["--wifi", "Household", "--wifi-password-file", at("password"), "--country", "DE"]

/** The command in this process: rejects with its fault. */
const flash = (...words: readonly string[]) =>
  flashCommand()
    .exitOverride()
    .parseAsync([...words], { from: "user" })

describe("obscura flash", () => {
  test("makes a card a camera's, with the package that obscura package builds", async () => {
    const made = await obscura(folder, "package", "--out", at("out"))
    expect(made).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^[0-9a-f]{64} {2}.*obscura-camera_.*_all\.deb$/m),
    })
    const deb = at(`out/${(await readdir(at("out"))).find((name) => name.endsWith(".deb"))}`)
    vi.stubEnv("OBSCURA_WIFI_PASSWORD", PASSWORD)
    onTestFinished(() => void vi.unstubAllEnvs())
    const words = ["--boot", boot, "--wifi", "Household", "--country", "de"]
    const flashed = await obscura(folder, "flash", ...words)
    expect(flashed).toMatchObject({ code: 0, output: expect.stringContaining("SSH stays off") })
    expect(flashed.output).not.toContain(PASSWORD)
    expect((await readFile(join(boot, "obscura-camera.deb"))).equals(await readFile(deb))).toBe(true)
    expect((await stat(join(boot, "network-config"))).mode & 0o777).toBe(0o600)
    expect(await readFile(join(boot, "network-config"), "utf8")).toMatch(
      /regulatory-domain: DE[\s\S]*password: [0-9a-f]{64}/,
    )
  }, 60_000)

  test("--dry-run shows every file of every card, no secret, and writes nothing", async () => {
    const before = await readdir(boot)
    const words = ["--boot", boot, "--batch", at("batch.csv"), "--ssh-key", at("key.pub"), ...WIFI()]
    const { code, output } = await obscura(folder, "flash", "--dry-run", ...words, ...PACKED())
    expect(code).toBe(0)
    for (const name of [
      "user-data",
      "network-config",
      "meta-data",
      "cmdline.txt",
      "obscura-status.txt",
      "obscura-camera.deb",
    ])
      expect(output.match(new RegExp(`^==== ${name}`, "gm"))).toHaveLength(2)
    expect(output).toMatch(
      /#### card A1[\s\S]*hostname: camera-1[\s\S]*#### card A2[\s\S]*hostname: camera-2/,
    )
    expect(output).not.toContain(PASSWORD)
    expect(output).not.toMatch(/\b[0-9a-f]{64}\b/)
    expect(await readdir(boot)).toEqual(before)
  })

  test.each([
    ["enable_ssh: true\n", "SSH may be on, by your own --cloud-init (enable_ssh)"],
    ["runcmd: [[systemctl, start, ssh]]\n", "SSH may be on, by your own --cloud-init (runcmd.0)"],
    ["packages: [vim]\n", "SSH stays off"],
  ])("says of SSH what the user's own cloud-config makes of it: %j", async (text, words) => {
    await writeFile(at("mine.yaml"), `#cloud-config\n${text}`)
    const said = vi.spyOn(console, "log").mockImplementation(() => undefined)
    onTestFinished(() => said.mockRestore())
    await flash("--boot", boot, "--cloud-init", at("mine.yaml"), ...PACKED())
    expect(said.mock.calls.flat().join("\n")).toContain(words)
  })

  test("leaves a folder in a file's place as it was", async () => {
    await mkdir(join(boot, "user-data"))
    await expect(flash("--boot", boot, ...PACKED())).rejects.toMatchObject({ kind: "usage" })
    expect(await readdir(boot)).toEqual(["cmdline.txt", "config.txt", "meta-data", "user-data"])
  })

  test("hands the Wi-Fi's password to no program that it starts", async () => {
    vi.stubEnv("OBSCURA_WIFI_PASSWORD", PASSWORD)
    onTestFinished(() => void vi.unstubAllEnvs())
    await flash("--boot", boot, "--wifi", "Household", "--country", "DE", ...PACKED())
    // esbuild, which makes the package, is given our environment as it is.
    expect(process.env.OBSCURA_WIFI_PASSWORD).toBeUndefined()
    expect(await readFile(join(boot, "network-config"), "utf8")).toMatch(/password: [0-9a-f]{64}/)
  })

  test("takes one card of a batch by its serial", async () => {
    await flash("--boot", boot, "--batch", at("batch.csv"), "--serial", "A2", ...PACKED())
    const data = await readFile(join(boot, "user-data"), "utf8")
    expect(data).toMatch(/hostname: camera-2[\s\S]*"serial":"A2","label":"Garden"/)
  })

  test("has no option that takes a password, for others see a command's words", () => {
    for (const { flags } of flashCommand().options) expect(flags).not.toMatch(/pass\S* <(?!file)/)
  })

  test.each<[readonly string[], string]>([
    [[], "where to?"],
    [["--boot", "BOOT", "--wifi", "n"], "the country is missing"],
    [["--boot", "BOOT", "--country", "DE"], "--country goes with --wifi"],
    [["--boot", "BOOT", "--wifi", "n", "--country", "DE", "--wifi-password-file", "none"], "cannot be read"],
    [["--boot", "BOOT", "--wifi", "n", "--country", "DE", "--wifi-password-file", "short"], "8 to 63"],
    [["--boot", "BOOT", "--wifi", "n", "--country", "DE"], "no terminal to ask for the Wi-Fi's password"],
    [["--boot", "BOOT", "--cloud-init", "broken.yaml"], "broken.yaml:3:"],
    [["--boot", "BOOT", "--settings", "settings.json"], "GPIO 4 cannot move a servo"],
    [["--boot", "BOOT", "--ssh-key", "key"], "this is a private key"],
    [["--boot", "BOOT", "--package", "other.deb"], "this is no Debian package"],
    [["--boot", "BOOT", "--broker", "mqtt://cloud.example"], "plain mqtt:// is for this machine alone"],
    [["--boot", "BOOT", "--batch", "batch.csv", "--serial", "A3"], "has no serial A3"],
    [["--boot", "BOOT", "--batch", "batch.csv", "--hostname", "x"], "come from the --batch"],
    [["--boot", "BOOT", "--batch", "batch.csv"], "write one at a time, with --serial"],
    [["--boot", "BOOT", "--out", "x"], "--out goes with --batch and --image"],
    [["--boot", "BOOT", "--manifest", "x"], "--manifest goes with one --image"],
    [["--boot", "nowhere"], "is the card in, and mounted?"],
    [["--boot", "."], "this is not the boot partition"],
    [["--image", "camera.deb"], "no partition table"],
    [["--image", "none.img"], "cannot be opened"],
  ])("refuses %j in one line, and leaves the card as it was", async (words, message) => {
    const files = new Set(await readdir(folder))
    const before = await readdir(boot)
    const real = words.map((word) =>
      word === "BOOT"
        ? boot
        : word === "." || files.has(word) || word === "nowhere"
          ? join(folder, word)
          : word,
    )
    const packed = words.includes("--package") ? [] : PACKED()
    await expect(flash(...real, ...packed)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(new RegExp(`^[^\\n]*${message.replace(/[.?*()-]/g, "\\$&")}[^\\n]*$`)),
    })
    expect(await readdir(boot)).toEqual(before)
  })

  test("says at once, and with exit code 2, what is wrong", async () => {
    const { code, output } = await obscura(folder, "flash", "--boot", boot, "--wifi", "n")
    expect([code, output.trim().split("\n").length]).toEqual([2, 1])
    expect(output).toMatch(/^obscura: Wi-Fi: the country is missing/)
  })

  test.skipIf(!judge("mcopy") || !judge("mkfs.vfat"))(
    "makes an image for each card of a batch, and one for none when one fails",
    async () => {
      const base = at("base.img")
      await makeImage(base)
      await flash("--image", base, "--batch", at("batch.csv"), "--out", at("images"), ...WIFI(), ...PACKED())
      expect((await readdir(at("images"))).sort()).toEqual(["A1.img", "A2.img"])
      for (const [serial, host] of [
        ["A1", "camera-1"],
        ["A2", "camera-2"],
      ] as const) {
        const image = at(`images/${serial}.img`)
        expect(mtools("mcopy", image, "::/user-data", "-")).toContain(`hostname: ${host}`)
        expect((await stat(image)).mode & 0o777).toBe(0o600)
      }
      expect(mtools("mdir", base, "-b", "::/")).not.toContain("obscura")
      await expect(
        flash("--image", base, "--batch", at("batch.csv"), "--out", at("images"), ...PACKED()),
      ).rejects.toMatchObject({ message: expect.stringContaining("A1.img: cannot be made") })
      await writeFile(at("huge.deb"), Buffer.concat([Buffer.from("!<arch>\n"), Buffer.alloc(9_000_000)]))
      await expect(
        flash("--image", base, "--batch", at("batch.csv"), "--out", at("none"), "--package", at("huge.deb")),
      ).rejects.toMatchObject({ kind: "full" })
      expect(await readdir(at("none"))).toEqual([])
    },
  )
})

function mtools(tool: string, image: string, ...words: readonly string[]): string {
  return String(
    execFileSync(tool, ["-i", `${image}@@512`, ...words], {
      env: { ...process.env, MTOOLS_SKIP_CHECK: "1" },
    }),
  )
}

/** 8 MiB of FAT behind an MBR. */
async function makeImage(image: string): Promise<void> {
  execFileSync(judge("mkfs.vfat")?.split("\n").at(-1) ?? "", ["-C", at("fat"), "8192"])
  const fat = await readFile(at("fat"))
  const head = Buffer.alloc(512)
  head.writeUInt8(0x0c, 450)
  head.writeUInt32LE(1, 454)
  head.writeUInt32LE(fat.length / 512, 458)
  head.writeUInt16LE(0xaa55, 510)
  await writeFile(image, Buffer.concat([head, fat]))
  await bootFilesIn(folder)
  for (const name of ["config.txt", "cmdline.txt", "meta-data"])
    mtools("mcopy", image, at(name), `::/${name}`)
  for (const name of ["config.txt", "cmdline.txt", "meta-data"]) await rm(at(name))
}
