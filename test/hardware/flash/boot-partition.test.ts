import { execFileSync } from "node:child_process"
import { chmod, link, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { openBootFolder } from "../../../hardware/flash/boot-folder.ts"
import { type BootPartition, checkBootPartition, writeAll } from "../../../hardware/flash/boot-partition.ts"
import { flash } from "../../../hardware/flash/flash.ts"
import { mutant } from "../../mutants.ts"
import { card, PACKAGE, RASPBERRY_PI_OS } from "./cards.ts"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-boot-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** In memory; the `failing`th change of it does nothing but fail, and each from `lost` on. */
function memory(
  files: Readonly<Record<string, string>>,
  failing = Infinity,
  freeBytes = 1e9,
  lost = Infinity,
) {
  const held = new Map<string, Buffer>(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)]))
  let changes = 0
  const change = async (act: () => void) => {
    if (++changes === failing || changes >= lost) throw new Error("the card was pulled")
    act()
  }
  const take = (name: string): Buffer => {
    const bytes = held.get(name)
    if (!bytes) throw new Error(`no ${name}`)
    return bytes
  }
  const partition: BootPartition = {
    name: "card",
    list: async () => [...held.keys()],
    read: async (name) => take(name),
    write: (name, bytes) =>
      change(() => {
        if (held.has(name)) throw new Error(`${name} is there`)
        held.set(name, Buffer.from(bytes))
      }),
    rename: (from, to) =>
      change(() => {
        if (held.has(to)) throw new Error(`${to} is there`)
        held.set(to, take(from))
        held.delete(from)
      }),
    remove: (name) =>
      change(() => {
        take(name)
        held.delete(name)
      }),
    free: async () => freeBytes,
  }
  const now = () => Object.fromEntries([...held].map(([name, bytes]) => [name, String(bytes)]))
  return { partition, now, changes: () => changes }
}

const FILES = new Map(
  Object.entries({ "user-data": "new", "config.txt": "new", "package.deb": "new" }).map(([n, t]) => [
    n,
    Buffer.from(t),
  ]),
)
const WRITTEN = { ...RASPBERRY_PI_OS, "user-data": "new", "config.txt": "new", "package.deb": "new" }

describe("files onto a boot partition", () => {
  test("are all there afterwards, and nothing else has changed", async () => {
    const { partition, now } = memory(RASPBERRY_PI_OS)
    await writeAll(partition, FILES)
    expect(now()).toEqual(WRITTEN)
  })

  test("or none: whichever step fails, the partition is what it was", async () => {
    const whole = memory(RASPBERRY_PI_OS)
    await writeAll(whole.partition, FILES)
    // The last steps take away what was there before: when they fail, everything new is there already.
    const cleaning = 2
    for (let failing = 1; failing <= whole.changes() - cleaning; failing++) {
      const { partition, now } = memory(RASPBERRY_PI_OS, failing)
      await expect(writeAll(partition, FILES)).rejects.toMatchObject({ kind: "usage" })
      expect(now()).toEqual(RASPBERRY_PI_OS)
    }
  })

  test("would not be all or none without the way back", async () => {
    const { writeAll: careless } = await mutant<{ writeAll: typeof writeAll }>(
      "hardware/flash/boot-partition.ts",
      {
        path: "hardware/flash/boot-partition.ts",
        from: "const stuck = await takeAll(undo.reverse())",
        to: "const stuck: string[] = []",
      },
    )
    const { partition, now } = memory(RASPBERRY_PI_OS, 5)
    await expect(careless(partition, FILES)).rejects.toThrow()
    expect(now()).not.toEqual(RASPBERRY_PI_OS)
  })

  test("are put back as far as that goes, with why it went wrong and what is not as it was", async () => {
    for (let failing = 1; failing <= 7; failing++) {
      const { partition, now } = memory(RASPBERRY_PI_OS, failing)
      // One file can be written, renamed, and never be taken away again.
      const stubborn: BootPartition = {
        ...partition,
        remove: (name) =>
          name.startsWith("user") ? Promise.reject(new Error("no")) : partition.remove(name),
      }
      const failed = await writeAll(stubborn, FILES).catch((error: unknown) => error)
      expect(failed).toMatchObject({
        kind: "usage",
        message: expect.stringMatching(/^card: cannot be written \(the card was pulled\)/),
      })
      expect(now()).toMatchObject({ "config.txt": RASPBERRY_PI_OS["config.txt"] })
      expect(now()).not.toHaveProperty(["package.deb"])
      if (Object.keys(now()).length > Object.keys(RASPBERRY_PI_OS).length)
        expect(failed).toMatchObject({ message: expect.stringMatching(/could not be put back: .*user-data/) })
    }
  })

  test("are there even if what was before cannot be taken away: it is named, for it may hold a key", async () => {
    const whole = memory(RASPBERRY_PI_OS)
    await writeAll(whole.partition, FILES)
    const { partition, now } = memory(RASPBERRY_PI_OS, Infinity, 1e9, whole.changes() - 1)
    expect(await writeAll(partition, FILES)).toEqual(["user-data.obscura-old", "config.txt.obscura-old"])
    expect(now()).toMatchObject(WRITTEN)
  })

  test("put right what a laptop that lost power in the middle left behind", async () => {
    const { "config.txt": was, ...others } = RASPBERRY_PI_OS
    const left = {
      ...others,
      "config.txt.obscura-old": String(was),
      "user-data.obscura-new": "half",
      "meta-data.obscura-old": "older",
    }
    const { partition, now } = memory(left)
    await writeAll(partition, new Map([["user-data", Buffer.from("new")]]))
    expect(now()).toEqual({ ...RASPBERRY_PI_OS, "user-data": "new" })
  })

  test("take the place of a name in other case, as FAT sees it", async () => {
    const { "config.txt": was, ...others } = RASPBERRY_PI_OS
    const { partition, now } = memory({ ...others, "CONFIG.TXT": String(was) })
    await writeAll(partition, FILES)
    expect(now()).toEqual(WRITTEN)
  })

  test("that do not fit are refused before the first is written", async () => {
    const { partition, now, changes } = memory(RASPBERRY_PI_OS, Infinity, 1000)
    await expect(writeAll(partition, FILES)).rejects.toMatchObject({
      kind: "full",
      message: expect.stringContaining("take a larger card"),
    })
    expect([now(), changes()]).toEqual([RASPBERRY_PI_OS, 0])
  })
})

describe("a card", () => {
  test.each([
    ["config.txt", "this is not the boot partition of Raspberry Pi OS"],
    ["cmdline.txt", "this is not the boot partition of Raspberry Pi OS"],
    ["meta-data", "reads no cloud-init: take an image of trixie"],
  ])("without %s is refused", async (missing, message) => {
    const { [missing]: _, ...others } = RASPBERRY_PI_OS
    await expect(checkBootPartition(memory(others).partition, false)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(message),
    })
  })

  test.each(["ssh", "SSH.TXT"])("whose file %s would turn SSH on unasked is refused", async (name) => {
    const { partition } = memory({ ...RASPBERRY_PI_OS, [name]: "" })
    await expect(checkBootPartition(partition, false)).rejects.toMatchObject({
      message: expect.stringContaining("would turn SSH on"),
    })
    await checkBootPartition(partition, true)
  })

  test.each(["userconf.txt", "custom.toml", "wpa_supplicant.conf", "firstrun.sh"])(
    "with %s of another set-up is refused by that name: it makes a user, or holds a Wi-Fi's password",
    async (name) => {
      await expect(
        checkBootPartition(memory({ ...RASPBERRY_PI_OS, [name]: "" }).partition, true),
      ).rejects.toMatchObject({ kind: "usage", message: expect.stringContaining(name) })
    },
  )

  test("that runs a command at boot, or has a desktop that logs in by itself, is refused", async () => {
    const cmdline = "root=x systemd.run=/boot/firstrun.sh"
    await expect(
      checkBootPartition(memory({ ...RASPBERRY_PI_OS, "cmdline.txt": cmdline }).partition, false),
    ).rejects.toMatchObject({ message: expect.stringContaining("systemd.run=") })
    const issue = (stage: string) =>
      memory({
        ...RASPBERRY_PI_OS,
        "issue.txt": `Raspberry Pi reference 2025-11-24\nGenerated using pi-gen, https://x, 0123, ${stage}\n`,
      }).partition
    await expect(checkBootPartition(issue("stage4"), false)).rejects.toMatchObject({
      message: expect.stringContaining("take Lite"),
    })
    await checkBootPartition(issue("stage2"), false)
  })

  test("can be flashed again: the second time counts, as another instance for cloud-init", async () => {
    const { partition, now } = memory(RASPBERRY_PI_OS)
    await flash(partition, card({ hostname: "one" }), PACKAGE)
    const first = now()
    await flash(partition, card({ hostname: "two" }), PACKAGE)
    expect(now()["user-data"]).toContain("hostname: two")
    expect(now()["meta-data"]).not.toBe(first["meta-data"])
    expect(now()["cmdline.txt"]).toBe(first["cmdline.txt"])
    expect(now()["obscura-status.txt"]).toContain("waiting for its first boot")
  })
})

describe("a mounted folder", () => {
  test("is flashed", async () => {
    const boot = await mkdtemp(join(folder, "bootfs-"))
    for (const [name, text] of Object.entries(RASPBERRY_PI_OS)) await writeFile(join(boot, name), text)
    await flash(await openBootFolder(boot), card(), PACKAGE)
    expect((await readdir(boot)).sort()).toEqual(
      [...Object.keys(RASPBERRY_PI_OS), "obscura-camera.deb", "obscura-status.txt"].sort(),
    )
    expect(await readFile(join(boot, "obscura-camera.deb"))).toEqual(PACKAGE)
  })

  test("that is not there, or no folder, is refused in one line", async () => {
    await expect(openBootFolder(join(folder, "nowhere"))).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("is the card in, and mounted?"),
    })
    await writeFile(join(folder, "file"), "")
    await expect(openBootFolder(join(folder, "file"))).rejects.toMatchObject({
      message: expect.stringContaining("goes to --image"),
    })
  })

  test.each([
    ["a link", symlink],
    ["a second name of a file elsewhere", link],
  ])("with %s in it is refused, and the file that it leads to is left as it was", async (_what, make) => {
    for (const name of ["user-data", "config.txt", "cmdline.txt"]) {
      const boot = await mkdtemp(join(folder, "linked-"))
      for (const [file, text] of Object.entries(RASPBERRY_PI_OS))
        if (file !== name) await writeFile(join(boot, file), text)
      const victim = join(folder, `victim-${make.name}-${name}`)
      await writeFile(victim, "of somebody else")
      await make(victim, join(boot, name))
      await expect(flash(await openBootFolder(boot), card(), PACKAGE)).rejects.toMatchObject({
        kind: "usage",
        message: expect.stringMatching(/is a link, or no file/),
      })
      expect(await readFile(victim, "utf8")).toBe("of somebody else")
      const partition = await openBootFolder(boot)
      await expect(partition.remove(name)).rejects.toMatchObject({ kind: "usage" })
      await expect(partition.read(name)).rejects.toMatchObject({ kind: "usage" })
      expect(await readFile(victim, "utf8")).toBe("of somebody else")
    }
  })

  test("with a pipe in it is refused, and does not wait for its other end", async () => {
    const boot = await mkdtemp(join(folder, "pipe-"))
    execFileSync("mkfifo", [join(boot, "config.txt")])
    await expect((await openBootFolder(boot)).read("config.txt")).rejects.toMatchObject({ kind: "usage" })
  })

  test("that cannot be written is refused in one line", async () => {
    await expect((await openBootFolder("/proc")).write("x", PACKAGE)).rejects.toMatchObject({ kind: "usage" })
    const locked = await mkdtemp(join(folder, "locked-"))
    await chmod(locked, 0o500)
    if (process.getuid?.() !== 0)
      await expect((await openBootFolder(locked)).write("x", PACKAGE)).rejects.toMatchObject({
        message: expect.stringContaining("not allowed"),
      })
  })
})
