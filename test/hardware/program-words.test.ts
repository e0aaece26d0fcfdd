import { fstatSync } from "node:fs"
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import type { Command } from "commander"
import { describe, expect, type onTestFinished, test } from "vitest"
import type { LogLine } from "../../firmware/log.ts"
import { formFor, type LineForm, piLog } from "../../hardware/program/log-lines.ts"
import { PATHS, refuseWrongUser } from "../../hardware/program/paths.ts"
import { portsOfMachine, portsOfProcess } from "../../hardware/program/ports-open.ts"
import { obscuraCamera } from "../../hardware/program/program.ts"
import { type StatusReport, statusReport } from "../../hardware/program/status.ts"
import { cameraStatus } from "../../hardware/program/status-file.ts"
import { statusText } from "../../hardware/program/status-text.ts"
import { swapOf } from "../../hardware/program/swap.ts"

async function folder(onFinished: typeof onTestFinished): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "obscura-words-"))
  onFinished(() => rm(made, { recursive: true, force: true }))
  return made
}

describe("log lines", () => {
  const written = (form: LineForm, ...lines: LogLine[]) => {
    let text = ""
    const out = {
      write(line: string) {
        text += line
      },
    }
    const log = piLog(form, out)
    for (const line of lines) log.write(line)
    return text.trimEnd().split("\n")
  }
  const lines: LogLine[] = [
    { event: "started", device: "d" },
    { event: "lens lost", reason: "cable", againIn: 1_234.5678 },
    { event: "fault", where: "pins", kind: "unavailable", reason: "gone" },
  ]

  test("are JSON with journald's priorities where the journal reads them", () => {
    const printed = written("journal", ...lines)
    expect(printed.map((line) => line.slice(0, 3))).toEqual(["<6>", "<4>", "<3>"])
    expect(JSON.parse(printed[1]?.slice(3) ?? "")).toEqual({
      ...{ level: 40, event: "lens lost", reason: "cable", againIn: 1_234.6, msg: "lens lost" },
    })
  })

  test("are JSON with the time elsewhere, and sentences for people", () => {
    const [first] = written("json", ...lines)
    expect(JSON.parse(first ?? "")).toMatchObject({ event: "started", device: "d", time: expect.any(String) })
    expect(written("people", ...lines)[1]).toMatch(/WARN.*lens lost.*cable/)
  })

  test("go by what standard output is, not by what a parent's was", () => {
    expect(formFor({ JOURNAL_STREAM: "1:2" }, false)).toBe("json")
    expect(formFor({}, false)).toBe("json")
    const { dev, ino } = fstatSync(1)
    expect(formFor({ JOURNAL_STREAM: `${dev}:${ino}` }, false)).toBe("journal")
    expect(formFor({}, true)).toBe("people")
  })
})

// One more is one more to think about: there is none that writes, sends or shows what is not sealed, and none that
// opens a port.
test("the whole command line of what ships is this", () => {
  const places = ["--state", "--settings", "--runtime"]
  const wordsOf = (each: Command, above = ""): (string | undefined)[][] => [
    [`${above}${each.name()}`, ...each.options.map(({ long }) => long)],
    ...each.commands.flatMap((below) => wordsOf(below, `${each.name()} `)),
  ]
  const words = obscuraCamera({}).commands.flatMap((each) => wordsOf(each))
  expect(words).toEqual([
    ["run", ...places, "--pretty"],
    ["pair", ...places, "--setup"],
    ["status", ...places, "--json"],
    [...["selftest", ...places, "--json", "--no-operator"], ...["--record", "--seen", "--serial", "--label"]],
    ["model"],
    ["model install", ...places, "--sha256"],
    ["model list", ...places, "--json"],
    ["shim", "--at"],
    ["wiring", ...places, "--out"],
  ])
})

describe("a camera's files are the service's", () => {
  test("root is told how to start it", async () => {
    await expect(refuseWrongUser(PATHS, 0)).rejects.toMatchObject({
      ...{ kind: "usage", message: expect.stringContaining("systemctl start obscura-camera") },
    })
  })

  test("another user is told whose they are; their own user may run it", async ({ onTestFinished }) => {
    const state = await folder(onTestFinished)
    const own = process.getuid?.() ?? 0
    await expect(refuseWrongUser({ ...PATHS, state }, own + 1)).rejects.toMatchObject({ kind: "usage" })
    await expect(refuseWrongUser({ ...PATHS, state }, own)).resolves.toBeUndefined()
  })
})

describe("ports", () => {
  const row = (address: string, state: string, inode: number) =>
    `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 100 0\n`

  test("are what the kernel says: listening ones, by process, and apart those for this machine alone", async ({
    onTestFinished,
  }) => {
    const proc = await folder(onTestFinished)
    await mkdir(join(proc, "net"))
    await mkdir(join(proc, "7/fd"), { recursive: true })
    const v4 = [row("00000000:0016", "0A", 1), row("0100007F:1F90", "0A", 2), row("0A00000A:D431", "01", 3)]
    const v6 = [
      row("00000000000000000000000000000000:0016", "0A", 4),
      row("00000000000000000000000001000000:0277", "0A", 5),
    ]
    await writeFile(join(proc, "net/tcp"), `  sl  local_address\n${v4.join("")}`)
    // Avahi's; a name server is asked, from a socket with a peer; one for this machine alone.
    const udp = [row("00000000:14E9", "07", 6), row("0A00000A:C001", "01", 7), row("0100007F:0035", "07", 8)]
    await writeFile(join(proc, "net/udp"), `  sl  local_address\n${udp.join("")}`)
    const udp6 = row("00000000000000000000000000000000:0222", "07", 9)
    await writeFile(join(proc, "net/udp6"), `  sl  local_address\n${udp6}`)
    await writeFile(join(proc, "net/tcp6"), `  sl  local_address\n${v6.join("")}`)
    await symlink("socket:[2]", join(proc, "7/fd/3"))
    await symlink("socket:[3]", join(proc, "7/fd/4"))
    await symlink("/dev/null", join(proc, "7/fd/5"))
    await symlink("socket:[7]", join(proc, "7/fd/6"))
    await symlink("socket:[8]", join(proc, "7/fd/7"))
    expect(await portsOfMachine(proc)).toEqual({ tcp: [22], udp: [546, 5353] })
    expect(await portsOfProcess(7, proc)).toEqual({ tcp: [8080], udp: [53] })
    expect(await portsOfProcess(8, proc)).toBeNull()
  })
})

describe("swap", () => {
  /** A root folder of a machine with these lines in /proc/swaps, whose camera is process 7. */
  async function machine(onFinished: typeof onTestFinished, swaps: string[], files: Record<string, string>) {
    const root = await folder(onFinished)
    const all = { "proc/swaps": `Filename Type Size Used Priority\n${swaps.join("\n")}\n`, ...files }
    for (const [name, text] of Object.entries(all)) {
      await mkdir(dirname(join(root, name)), { recursive: true })
      await writeFile(join(root, name), text)
    }
    return root
  }
  const ZRAM = "/dev/zram0 partition 1000 0 100"
  const backing = (text: string) => ({ "sys/block/zram0/backing_dev": text })

  test.for([
    ["none", [], {}, []],
    ["in memory alone", [ZRAM], backing("none\n"), []],
    ["in memory, and on a card when that is full", [ZRAM], backing("/dev/loop0\n"), ["/dev/loop0"]],
    ["a file beside it", [ZRAM, "/var/swap file 1000 0 -2"], backing("none\n"), ["/var/swap"]],
  ] as const)("is found where the kernel says: %s", async ([_what, swaps, files, onDisk], context) => {
    const root = await machine(context.onTestFinished, [...swaps], files)
    expect(await swapOf(null, root)).toEqual({ onDisk, cameraIsKeptOut: null })
  })

  test.for([
    ["the unit's limit counts", "0\n", true],
    ["there is another limit", "max\n", false],
    ["the kernel has no memory controller", null, false],
  ] as const)("keeps the camera out only where %s", async ([_what, limit, keptOut], context) => {
    const group = "system.slice/obscura-camera.service"
    const root = await machine(context.onTestFinished, ["/var/swap file 1 0 -2"], {
      "proc/7/cgroup": `0::/${group}\n`,
      ...(limit === null ? {} : { [`sys/fs/cgroup/${group}/memory.swap.max`]: limit }),
    })
    expect((await swapOf(7, root)).cameraIsKeptOut).toBe(keptOut)
  })
})

describe("status", () => {
  const report = async (onFinished: typeof onTestFinished, active: string, enabled: string) => {
    const place = await folder(onFinished)
    const words = `#!/bin/sh\n[ "$1" = is-active ] && printf '${active}' || printf '${enabled}'\n[ "${active}" = active ]\n`
    await writeFile(join(place, "systemctl"), words, { mode: 0o755 })
    return statusReport({ state: join(place, "state"), runtime: place }, { PATH: `${place}:/usr/bin:/bin` })
  }

  test.for([
    [
      "active\\ninactive\\n",
      "enabled\\ndisabled\\n",
      /^ssh +ON, and at every boot: sudo systemctl disable --now ssh$/m,
    ],
    ["active\\ninactive\\n", "disabled\\ndisabled\\n", /^ssh +ON, until the next boot/m],
    ["inactive\\ninactive\\n", "enabled\\ndisabled\\n", /^ssh +off now, ON at the next boot/m],
    ["inactive\\ninactive\\n", "disabled\\nstatic\\n", /^ssh +off$/m],
    ["", "", /^ssh +unknown: no systemd to ask$/m],
  ] as const)("says of SSH: %s %s", async ([active, enabled, says], { onTestFinished }) => {
    expect(statusText(await report(onTestFinished, active, enabled))).toMatch(says)
  })

  test("shouts when what calls itself the camera opens a port", () => {
    const said = cameraStatus.parse({
      ...{ version: "0", process: 1, boot: "b", uptimeSeconds: 1, state: "ready", device: "d", paired: true },
      ...{ startedAt: "2026-01-01T00:00:00Z", writtenAt: "2026-01-01T00:00:00Z", broker: null },
      ...{ connectedSince: null, lastDeliveredAt: null, spool: { objects: 0, bytes: 0, waiting: 0 } },
      ...{
        freeBytes: 1,
        lens: null,
        recognition: null,
        lastFault: null,
        temperatureCelsius: 71.25,
        undervoltage: true,
        throttled: true,
      },
    })
    const live: StatusReport = {
      ...{ running: true, said, left: null, unreadable: null, ssh: null },
      ports: { camera: { tcp: [9229], udp: [] }, machine: { tcp: [22, 9229], udp: [5353] } },
      swap: { onDisk: ["/var/swap"], cameraIsKeptOut: false },
    }
    const text = statusText(live)
    expect(text).toMatch(/^ports +OPENS TCP 9229/m)
    expect(text).toMatch(/^machine +listens on TCP 22, 9229; UDP 5353$/m)
    expect(text).toMatch(/^swap +ON \/var\/swap: pictures in memory may be written there/m)
    const kept = { onDisk: ["/var/swap"], cameraIsKeptOut: true }
    expect(statusText({ ...live, swap: kept })).toMatch(/^swap +on .*keeps the camera out of it$/m)
    const nothing = { tcp: [], udp: [] }
    expect(statusText({ ...live, ports: { camera: nothing, machine: nothing } })).toMatch(
      /^machine +listens on no port$/m,
    )
    expect(text).toMatch(/^board +71\.3 °C, UNDERVOLTAGE: .*, THROTTLED$/m)
    expect(text).toMatch(/^broker +none in the settings: it records and keeps$/m)
  })

  test("that is not ours to read says so, and is not taken for none", async ({ onTestFinished, skip }) => {
    if (process.getuid?.() === 0) return skip("root may read everything")
    const place = await folder(onTestFinished)
    await writeFile(join(place, "status.json"), "{}", { mode: 0 })
    await expect(
      statusReport({ state: join(place, "state"), runtime: place }, { PATH: "" }),
    ).rejects.toMatchObject({ kind: "usage", message: expect.stringContaining("put sudo before this") })
  })

  test("of a status file that is no status of ours is that of a camera that does not run", async ({
    onTestFinished,
  }) => {
    const place = await folder(onTestFinished)
    for (const text of ["", "{", "[]", '{"version":1}', "null", '{"state":"ready"}\n'.repeat(3)]) {
      await writeFile(join(place, "status.json"), text)
      const { running, said } = await statusReport(
        { state: join(place, "state"), runtime: place },
        { PATH: "" },
      )
      expect({ running, said }).toEqual({ running: false, said: null })
    }
  })
})
