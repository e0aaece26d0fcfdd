import { execFileSync } from "node:child_process"
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { openBootImage } from "../../../hardware/flash/boot-image.ts"
import type { BootPartition } from "../../../hardware/flash/boot-partition.ts"
import { flash } from "../../../hardware/flash/flash.ts"
import { imagerManifest } from "../../../hardware/flash/imager-manifest.ts"
import { judge } from "../../support.ts"
import { card, PACKAGE, RASPBERRY_PI_OS } from "./cards.ts"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-boot-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const SECTOR = 512
const START = 2048

/** A disk with an MBR, whose first partition is the FAT file system in `fat`. */
async function diskAround(fat: string, disk: string, type = 0x0c): Promise<void> {
  const bytes = await readFile(fat)
  const head = Buffer.alloc(START * SECTOR)
  head.writeUInt8(type, 446 + 4)
  head.writeUInt32LE(START, 446 + 8)
  head.writeUInt32LE(bytes.length / SECTOR, 446 + 12)
  head.writeUInt16LE(0xaa55, 510)
  await writeFile(disk, Buffer.concat([head, bytes]))
}

describe.skipIf(!judge("mcopy") || !judge("mkfs.vfat"))("an image file", () => {
  let fresh: string
  let image: string
  const mtools = (tool: string, words: readonly string[], input?: string | Buffer) =>
    execFileSync(tool, ["-i", `${image}@@${START * SECTOR}`, ...words], {
      input,
      env: { ...process.env, MTOOLS_SKIP_CHECK: "1" },
    })
  const contentOf = () =>
    Object.fromEntries(
      String(mtools("mdir", ["-b", "-a", "::/"]))
        .split("\n")
        .filter((line) => line.startsWith("::/"))
        .map((line) => [line.slice(3), String(mtools("mcopy", [line, "-"]))]),
    )

  beforeAll(async () => {
    const fat = join(folder, "fat")
    fresh = image = join(folder, "fresh.img")
    execFileSync(judge("mkfs.vfat")?.split("\n").at(-1) ?? "", ["-n", "BOOTFS", "-C", fat, "8192"])
    await diskAround(fat, fresh)
    for (const [name, text] of Object.entries(RASPBERRY_PI_OS)) mtools("mcopy", ["-", `::/${name}`], text)
  })
  beforeEach(async () => {
    image = join(folder, "one.img")
    await copyFile(fresh, image)
  })

  test("is flashed, and only its boot partition has changed", async () => {
    const { files, leftovers } = await flash(await openBootImage(image), card(), PACKAGE)
    expect(leftovers).toEqual([])
    expect(contentOf()).toEqual({
      ...RASPBERRY_PI_OS,
      ...Object.fromEntries([...files].map(([name, bytes]) => [name, String(bytes)])),
    })
    const [before, after] = [await readFile(fresh), await readFile(image)]
    expect(after.length).toBe(before.length)
    expect(after.subarray(0, START * SECTOR).equals(before.subarray(0, START * SECTOR))).toBe(true)
  })

  test("holds the Wi-Fi's key once: no copy of it stays in free space, where the first boot would not wipe it", async () => {
    await flash(await openBootImage(image), card(), PACKAGE)
    const key = card().wifi?.secret ?? "?"
    const bytes = await readFile(image)
    expect(bytes.indexOf(key)).toBeGreaterThan(0)
    expect(bytes.indexOf(key)).toBe(bytes.lastIndexOf(key))
  })

  test("whose boot partition is too small is left as it was", async () => {
    const free = await (await openBootImage(image)).free()
    mtools("mcopy", ["-", "::/filler"], Buffer.alloc(free - 100_000))
    const before = await readFile(image)
    await expect(flash(await openBootImage(image), card(), PACKAGE)).rejects.toMatchObject({ kind: "full" })
    expect(before.equals(await readFile(image))).toBe(true)
  })

  test("that fills up while it is written is left with what was on it", async () => {
    const partition = await openBootImage(image)
    const roomy: BootPartition = { ...partition, free: async () => 1e9 }
    await expect(flash(roomy, card(), Buffer.alloc(9_000_000))).rejects.toMatchObject({ kind: "full" })
    expect(contentOf()).toEqual(RASPBERRY_PI_OS)
  })

  test("is told of to Raspberry Pi Imager, with its size and hash, as one that reads cloud-init", async () => {
    const manifest = JSON.parse(await imagerManifest(image, "2026-11-26"))
    const sha256 = String(execFileSync("sha256sum", [image])).slice(0, 64)
    const size = (await readFile(image)).length
    expect(manifest.imager.devices.map(({ name }: { name: string }) => name)).toContain(
      "Raspberry Pi Zero 2 W",
    )
    expect(manifest).toMatchObject({
      os_list: [
        expect.objectContaining({
          url: `file://${image}`,
          ...{ extract_size: size, extract_sha256: sha256, image_download_size: size },
          ...{ init_format: "cloudinit-rpi", release_date: "2026-11-26" },
          devices: ["pi5-64bit", "pi4-64bit", "pi3-64bit"],
        }),
      ],
    })
    await expect(imagerManifest("x.img.xz", "")).rejects.toMatchObject({
      message: expect.stringContaining("unpack it first"),
    })
    await expect(imagerManifest(join(folder, "none"), "")).rejects.toMatchObject({ kind: "usage" })
  })

  test("without mtools is a line that says what to install", async () => {
    const partition = await openBootImage(image, { PATH: folder })
    await expect(partition.list()).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("apt install mtools, or brew install mtools"),
    })
  })

  test("is written by tools that are told nothing of what we were told, such as a password", async () => {
    const tools = await mkdtemp(join(folder, "tools-"))
    const said = join(tools, "environment")
    for (const tool of ["mdir", "mcopy"]) {
      await writeFile(join(tools, tool), `#!/bin/sh\nenv >>${said}\n`, { mode: 0o755 })
    }
    const env = { PATH: `${tools}:${process.env.PATH}`, OBSCURA_WIFI_PASSWORD: "hunter2" }
    const partition = await openBootImage(image, env)
    await partition.list()
    await partition.read("config.txt")
    expect(await readFile(said, "utf8")).toContain("MTOOLSRC=/dev/null")
    expect(await readFile(said, "utf8")).not.toContain("hunter2")
  })

  test("cut short, without its FAT, or with another in its place is refused in one line", async () => {
    const bytes = await readFile(fresh)
    const refused = async (wrong: Buffer, message: string) => {
      await writeFile(image, wrong)
      await expect(openBootImage(image)).rejects.toMatchObject({
        kind: "usage",
        message: expect.stringContaining(message),
      })
    }
    await refused(bytes.subarray(0, bytes.length - 1), "the file is cut short")
    await refused(bytes.subarray(0, 100), "no partition table")
    await refused(Buffer.alloc(4096), "no partition table")
    await refused(Buffer.from("\xfd7zXZ".padEnd(4096), "latin1"), "unpack .xz with xz -dk")
    const without = Buffer.from(bytes)
    without.fill(0, START * SECTOR, START * SECTOR + SECTOR)
    await refused(without, "no boot partition (FAT) in it")
    const linux = Buffer.from(bytes)
    linux.writeUInt8(0x83, 446 + 4)
    await refused(linux, "no boot partition (FAT) in it")
    await mkdir(join(folder, "folder.img"), { recursive: true })
    await expect(openBootImage(join(folder, "folder.img"))).rejects.toMatchObject({ kind: "usage" })
    await expect(openBootImage("/dev/null")).rejects.toMatchObject({
      message: expect.stringContaining("with --boot"),
    })
  })

  test("of another system is refused, and left as it was", async () => {
    mtools("mdel", ["::/cmdline.txt"])
    const before = await readFile(image)
    await expect(flash(await openBootImage(image), card(), PACKAGE)).rejects.toMatchObject({
      message: expect.stringContaining("no cmdline.txt"),
    })
    expect(before.equals(await readFile(image))).toBe(true)
  })
})
