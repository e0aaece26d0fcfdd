import { execFile, spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, mkdtemp, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { parse } from "yaml"
import { withoutWizard } from "../../../hardware/flash/boot-config.ts"
import { cloudInitFiles } from "../../../hardware/flash/cloud-init.ts"
import { bootFiles, newInstance } from "../../../hardware/flash/flash.ts"
import { judge, root } from "../../support.ts"
import { card, RASPBERRY_PI_OS } from "./cards.ts"

/**
 * What orders a first boot of Raspberry Pi OS Lite trixie, from the sources of userconf-pi 0.15, Debian's cloud-init and
 * systemd: unit to the lines of it that say so.
 */
const TRIXIE: Readonly<Record<string, string>> = {
  "sysinit.target": "[Unit]\nDefaultDependencies=no",
  "network-online.target": "[Unit]",
  "cloud-init-network.service":
    "[Unit]\nDefaultDependencies=no\nBefore=sysinit.target network-online.target\n[Service]\nType=oneshot",
  "cloud-config.target": "[Unit]\nAfter=cloud-init-network.service\nWants=cloud-init-network.service",
  "cloud-config.service":
    "[Unit]\nAfter=network-online.target cloud-config.target\nWants=network-online.target cloud-config.target\n[Service]\nType=oneshot\n[Install]\nWantedBy=cloud-init.target",
  "cloud-final.service":
    "[Unit]\nAfter=network-online.target cloud-config.service multi-user.target\nWants=network-online.target cloud-config.service\n[Service]\nType=oneshot\n[Install]\nWantedBy=cloud-init.target",
  "cloud-init.target": "[Unit]\nAfter=multi-user.target\n[Install]\nWantedBy=multi-user.target",
  "userconfig.service":
    "[Unit]\nAfter=systemd-user-sessions.service cloud-config.service\n[Service]\nType=oneshot\n[Install]\nWantedBy=multi-user.target",
  "multi-user.target": "[Unit]\nRequires=sysinit.target\nAfter=sysinit.target",
}

/** It asks for a user on a screen, and nobody answers. */
const WAITS_FOR_A_KEYBOARD = "userconfig.service"
const OURS = "obscura-first-boot.service"
const UNIT = await readFile(join(root, "hardware/flash", OURS), "utf8")

function wordsOf(unit: string, name: string): readonly string[] {
  return [...unit.matchAll(new RegExp(`^${name}=(.*)$`, "gm"))].flatMap(([, words = ""]) =>
    words.split(/\s+/),
  )
}

/** What is up in the end: a unit starts when all that it comes after, and that is to start, is up. */
function upInTheEnd(units: Readonly<Record<string, string>>, masked: readonly string[] = []): Set<string> {
  const names = Object.keys(units).filter((name) => !masked.includes(name))
  const wants = (name: string) => [
    ...wordsOf(units[name] ?? "", "(?:Wants|Requires)"),
    ...names.filter((each) => wordsOf(units[each] ?? "", "WantedBy").includes(name)),
  ]
  const orders = (name: string) => [
    ...wordsOf(units[name] ?? "", "After"),
    ...names.filter((each) => wordsOf(units[each] ?? "", "Before").includes(name)),
  ]
  // A target comes after what it wants, unless that is told to come after it (systemd.target(5)).
  const after = (name: string) => [
    ...orders(name),
    ...(name.endsWith(".target") ? wants(name).filter((each) => !orders(each).includes(name)) : []),
  ]
  const asked = new Set(["multi-user.target"])
  for (const name of asked) for (const each of wants(name)) if (names.includes(each)) asked.add(each)
  const up = new Set<string>()
  for (let before = -1; before < up.size; ) {
    before = up.size
    for (const name of asked)
      if (name !== WAITS_FOR_A_KEYBOARD && after(name).every((each) => !asked.has(each) || up.has(each)))
        up.add(name)
  }
  return up
}

describe("the first boot's unit", () => {
  test("starts although something holds multi-user.target for ever", () => {
    const up = upInTheEnd({ ...TRIXIE, [OURS]: UNIT })
    expect(up).toContain(OURS)
    expect(up).not.toContain("multi-user.target")
    expect(up).not.toContain("cloud-final.service")
  })

  test("would be seen never to start after cloud-init's last stage", () => {
    const late = UNIT.replace("After=cloud-config.service", "After=network-online.target cloud-final.service")
    expect(late).not.toBe(UNIT)
    expect(upInTheEnd({ ...TRIXIE, [OURS]: late })).not.toContain(OURS)
  })

  test("comes after cloud-init has made users and files, and is waited for by nobody", () => {
    const { "cloud-config.service": _, ...without } = TRIXIE
    const held = { ...without, "cloud-config.service": "[Unit]\nAfter=userconfig.service" }
    expect(upInTheEnd({ ...held, [OURS]: UNIT })).not.toContain(OURS)
    expect(UNIT).toMatch(/^Type=exec$/m)
  })

  test("reaches multi-user.target on a card as it is flashed, and so the owner's own commands run", async () => {
    const files = await bootFiles(card(), Buffer.from(""), newInstance(), async (name) =>
      String(RASPBERRY_PI_OS[name]),
    )
    const masked = [...String(files.get("cmdline.txt")).matchAll(/systemd\.mask=(\S+)/g)].map(
      ([, name = ""]) => name,
    )
    expect(masked).toEqual(["userconfig.service"])
    const up = upInTheEnd({ ...TRIXIE, [OURS]: UNIT }, masked)
    expect([...up].sort()).toEqual(
      [...Object.keys(TRIXIE), OURS].filter((name) => !masked.includes(name)).sort(),
    )
  })
})

describe("the first boot, for the judges", () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "obscura-boot-order-"))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  /** What systemd itself says of these units together, with ours as given. */
  async function verify(unit: string): Promise<string> {
    const units = await mkdtemp(join(folder, "units-"))
    for (const [name, text] of Object.entries({ ...TRIXIE, [OURS]: unit })) {
      const started = text
        .replace("[Service]", "[Service]\nExecStart=/bin/true")
        .replace(/^ExecStart=\/usr.*\n/m, "")
      await writeFile(join(units, name), started)
      for (const target of wordsOf(text, "WantedBy")) {
        await mkdir(join(units, `${target}.wants`), { recursive: true })
        await symlink(join(units, name), join(units, `${target}.wants`, name))
      }
    }
    const { stdout, stderr } = spawnSync(
      "systemd-analyze",
      ["verify", "--man=no", join(units, "multi-user.target")],
      {
        env: { ...process.env, SYSTEMD_UNIT_PATH: `${units}:` },
        encoding: "utf8",
      },
    )
    return (stdout + stderr)
      .split("\n")
      .filter((line) => /ordering cycle|obscura-first-boot|masked/.test(line))
      .join("\n")
  }

  test.skipIf(!judge("systemd-analyze"))(
    "is a unit that systemd takes, in no circle with the others",
    async () => {
      expect(await verify(UNIT)).toBe("")
      expect(await verify(UNIT.replace("Type=exec", "Type=later"))).toContain(OURS)
      const circular = UNIT.replace(
        "After=cloud-config.service",
        "After=cloud-final.service\nBefore=multi-user.target",
      )
      expect(await verify(circular)).toContain("ordering cycle")
    },
  )

  const GENERATOR = "/usr/lib/systemd/system-generators/systemd-debug-generator"
  test.skipIf(!existsSync(GENERATOR))(
    "masks the question for a user, by the words of its kernel's line as systemd reads them",
    async () => {
      const line = withoutWizard(String(RASPBERRY_PI_OS["cmdline.txt"])).trim()
      const folders = ["normal", "early", "late"].map((name) => join(folder, name))
      for (const each of folders) await mkdir(each)
      const env = { ...process.env, SYSTEMD_PROC_CMDLINE: line, SYSTEMD_IN_INITRD: "0" }
      await promisify(execFile)(GENERATOR, folders, { env })
      const [, early = ""] = folders
      expect(await readlink(join(early, "userconfig.service"))).toBe("/dev/null")
    },
  )

  test.skipIf(!judge("cloud-init"))("is set off by cloud-init's own making of our bootcmd", async () => {
    const { bootcmd } = parse(cloudInitFiles(card(), "x").get("user-data") ?? "", { version: "1.1" })
    const python = "import json, sys; from cloudinit import util; print(util.shellify(json.load(sys.stdin)))"
    // Its own Python, which another one on the PATH may hide.
    const [, own = ""] = /^#!(\S+)/.exec(await readFile(judge("cloud-init") ?? "", "utf8")) ?? []
    const made = spawnSync(own, ["-c", python], { input: JSON.stringify(bootcmd), encoding: "utf8" })
    expect(made.stderr).toBe("")
    const tools = join(folder, "tools")
    await mkdir(tools)
    await writeFile(join(tools, "systemctl"), '#!/bin/sh\necho "$@" >>"$SAID"\n', { mode: 0o755 })
    await writeFile(join(folder, "bootcmd"), made.stdout.replaceAll("/etc/systemd/system/", `${folder}/`))
    const env = { PATH: `${tools}:${process.env.PATH}`, SAID: join(folder, "said") }
    await promisify(execFile)("sh", [join(folder, "bootcmd")], { env })
    expect(await readFile(join(folder, OURS), "utf8")).toBe(UNIT)
    expect((await readFile(join(folder, "said"), "utf8")).split("\n")).toEqual([
      "mask userconfig.service",
      "daemon-reload",
      `enable ${OURS}`,
      `start --no-block ${OURS}`,
      "",
    ])
  })
})
