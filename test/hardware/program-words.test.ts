import { fstatSync } from "node:fs"
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, type onTestFinished, test } from "vitest"
import type { LogLine } from "../../firmware/log.ts"
import { formFor, type LineForm, piLog } from "../../hardware/program/log-lines.ts"
import { PATHS, refuseWrongUser } from "../../hardware/program/paths.ts"
import { portsOfMachine, portsOfProcess } from "../../hardware/program/ports-open.ts"
import { obscuraCamera } from "../../hardware/program/program.ts"
import { type StatusReport, statusReport } from "../../hardware/program/status.ts"
import { cameraStatus } from "../../hardware/program/status-file.ts"
import { statusText } from "../../hardware/program/status-text.ts"

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
  const words = obscuraCamera({}).commands.map((each) => [
    each.name(),
    ...each.options.map(({ long }) => long),
  ])
  expect(words).toEqual([
    ["run", ...places, "--pretty"],
    ["pair", ...places, "--setup"],
    ["status", ...places, "--json"],
    [...["selftest", ...places, "--json", "--no-operator"], ...["--record", "--seen", "--serial", "--label"]],
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
    await writeFile(join(proc, "net/tcp6"), `  sl  local_address\n${v6.join("")}`)
    await symlink("socket:[2]", join(proc, "7/fd/3"))
    await symlink("socket:[3]", join(proc, "7/fd/4"))
    await symlink("/dev/null", join(proc, "7/fd/5"))
    expect(await portsOfMachine(proc)).toEqual([22])
    expect(await portsOfProcess(7, proc)).toEqual([8080])
    expect(await portsOfProcess(8, proc)).toBeNull()
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
        lastFault: null,
        temperatureCelsius: 71.25,
        undervoltage: true,
        throttled: true,
      },
    })
    const live: StatusReport = {
      ...{ running: true, said, left: null, unreadable: null, ssh: null },
      ports: { camera: [9229], machine: [9229] },
    }
    const text = statusText(live)
    expect(text).toMatch(/^ports +OPENS 9229/m)
    expect(text).toMatch(/^board +71\.3 °C, UNDERVOLTAGE: .*, THROTTLED$/m)
    expect(text).toMatch(/^broker +none in the settings: it records and keeps$/m)
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
