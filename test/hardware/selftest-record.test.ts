import { appendFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest"
import { label, writeLabel } from "../../hardware/label/label.ts"
import { serialNumber } from "../../hardware/selftest/board-facts.ts"
import { systemNetwork } from "../../hardware/selftest/network-facts.ts"
import { type SelfTestRecord, selfTestRecord } from "../../hardware/selftest/record.ts"
import { Report } from "../../hardware/selftest/report.ts"
import { keepRecord, readSeen, refuseUnwritable, sameKey } from "../../hardware/selftest/seen.ts"
import { fakeTime, goodWorld, recordOf, wholeTest } from "./selftest-world.ts"

beforeEach(fakeTime)
afterEach(() => void vi.useRealTimers())

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "obscura-selftest-"))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

const device = "ab".repeat(20)
const record = (board: Partial<SelfTestRecord["board"]> = {}) => recordOf({ device, ...board })

describe("records", () => {
  test("are kept one a line, and read again", async () => {
    const file = join(await folder(), "records")
    expect(await readSeen(file, file)).toEqual([])
    await refuseUnwritable(file)
    for (const serial of ["1", "2"]) await keepRecord(file, record({ serial }))
    expect((await readFile(file, "utf8")).split("\n")).toHaveLength(3)
    expect(await readSeen(file, file)).toEqual([record({ serial: "1" }), record({ serial: "2" })])
  })

  test("are nobody else's to read, whatever the umask is; labels are for whoever prints them", async () => {
    const place = await folder()
    const before = process.umask(0)
    onTestFinished(() => void process.umask(before))
    const file = join(place, "records")
    await refuseUnwritable(file)
    await keepRecord(file, record())
    process.umask(0o077)
    const made = await writeLabel(place, device, label({ device, serial: null, model: "Pi" }))
    const modes = await Promise.all(
      [file, made].map(async (path) => ((await stat(path)).mode & 0o777).toString(8)),
    )
    expect(modes).toEqual(["600", "644"])
  })

  test("name the board that has the same key; the same board again is none", () => {
    expect(sameKey({ device, serial: "2" }, [record()])).toMatch(/board 1.* has the same key/)
    expect(sameKey({ device, serial: "1" }, [record()])).toBeNull()
    expect(sameKey({ device: "cd".repeat(20), serial: "2" }, [record()])).toBeNull()
    expect(sameKey({ device, serial: null }, [record({ serial: null })])).toMatch(/give --serial/)
  })

  test("of a board whose key was seen before fail", async () => {
    const world = await goodWorld()
    const seen = [{ ...record({ serial: "other" }), device: world.device }]
    const [key] = await wholeTest(world, { seen })
    expect(key).toMatchObject({ name: "key", verdict: "fail", why: expect.stringMatching(/board other/) })
  })

  test.each([
    ["no JSON", "pass\n"],
    ["half a line", `${JSON.stringify(record()).slice(0, 90)}\n`],
    ["another version", `${JSON.stringify({ ...record(), version: 2 })}\n`],
    ["a field too many", `${JSON.stringify({ ...record(), owner: "x" })}\n`],
    ["no device id", `${JSON.stringify({ ...record(), device: "../etc" })}\n`],
    ["no checks", `${JSON.stringify({ ...record(), checks: [] })}\n`],
    ["a list", "[]\n"],
  ])("that are not ours are refused by file and line: %s", async (_what, text) => {
    const file = join(await folder(), "records")
    await keepRecord(file, record())
    await appendFile(file, text)
    await expect(readSeen(file, undefined)).rejects.toMatchObject({
      ...{ kind: "usage", message: expect.stringMatching(/records:2: not a record/) },
    })
  })

  test("that cannot be kept are refused before the test", async () => {
    const file = join(await folder(), "missing", "records")
    await expect(refuseUnwritable(file)).rejects.toMatchObject({ kind: "usage" })
    await expect(readSeen(file, undefined)).rejects.toMatchObject({ kind: "usage" })
  })

  test("hold every result in their own shape", async () => {
    const results = await wholeTest(await goodWorld())
    const checks = results.map(({ duration, ...check }) => ({ ...check, seconds: duration / 1_000 }))
    const text = JSON.stringify({ ...record(), checks })
    expect(selfTestRecord.parse(JSON.parse(text)).checks).toEqual(checks)
  })
})

describe("a board's serial number", () => {
  const of = async (files: Record<string, string>) => {
    const proc = await folder()
    for (const [name, text] of Object.entries(files)) await writeFile(join(proc, name), text)
    return serialNumber(proc)
  }
  test("is the kernel's, or not known", async () => {
    expect(await of({ cpuinfo: "Hardware\t: BCM2835\nSerial\t\t: 10000000abcdef01\n" })).toBe(
      "10000000abcdef01",
    )
    expect(await of({ cpuinfo: "Serial\t\t: 0000000000000000\n" })).toBeNull()
    expect(await of({ cpuinfo: "Serial\t: <svg onload=x>\n" })).toBeNull()
    expect(await of({})).toBeNull()
  })
})

describe("the default route", () => {
  const of = async (files: Record<string, string>) => {
    const proc = await folder()
    await mkdir(join(proc, "net"))
    for (const [name, text] of Object.entries(files)) await writeFile(join(proc, "net", name), text)
    return systemNetwork(proc).defaultRoute()
  }
  const heads = "Iface\tDestination\tGateway \tFlags\tRefCnt\n"
  const nowhere = "0".repeat(32)
  test("is the kernel's, by IPv4 or IPv6; one that is down or to nowhere is none", async () => {
    expect(
      await of({ route: `${heads}wlan0\t0000A8C0\t00000000\t0001\nwlan0\t00000000\t0101A8C0\t0003\n` }),
    ).toBe("wlan0")
    expect(await of({ route: `${heads}wlan0\t00000000\t0101A8C0\t0002\n` })).toBeNull()
    const six = (flags: string, name: string) =>
      `${nowhere} 00 ${nowhere} 00 ${nowhere} 00000400 00000001 00000000 ${flags}     ${name}\n`
    expect(await of({ ipv6_route: six("00450003", "eth0") })).toBe("eth0")
    expect(await of({ ipv6_route: six("00200200", "lo") })).toBeNull()
    expect(await of({})).toBeNull()
  })
})

describe("the report", () => {
  const shown = (columns: number) => {
    let text = ""
    const report = new Report({ write: (more) => (text += more), columns, colours: columns > 0 })
    report.begin("motion sensor")
    report.tell("Stand still.")
    report.result({
      verdict: "fail",
      name: "motion sensor",
      why: "GPIO 17 stays low: check the sensor's 5 V and wire",
    })
    report.end({ verdict: "fail", checks: [{ ...checkRecord, verdict: "fail" }] })
    return text
  }
  const [checkRecord] = record().checks as [SelfTestRecord["checks"][number]]

  test("of a file is one line a check, without control characters", () => {
    expect(shown(0)).toBe(
      "Stand still.\nfail     motion sensor    GPIO 17 stays low: check the sensor's 5 V and wire\n\nfail: 0 passed, 1 failed, 0 skipped\n",
    )
  })

  test("of a terminal shows what goes on, and wraps under its column", () => {
    const text = shown(60)
    expect(text).toContain("...      motion sensor\r\x1b[K")
    expect(text).toContain(
      `\x1b[31mfail     \x1b[0mmotion sensor    GPIO 17 stays low: check the\n${" ".repeat(26)}sensor's`,
    )
  })
})
