import { spawnSync } from "node:child_process"
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { parseConfig } from "../../firmware/config.ts"
import { sealAge } from "../../firmware/delivery/age.ts"
import { isFault } from "../../firmware/errors.ts"
import { newHouseholdIdentity } from "../../harness/owner/age-identity.ts"
import { NO_BYTES, type Trace } from "../../harness/twin/trace.ts"
import { decodeTrace, traceParts } from "../../harness/twin/trace-bytes.ts"
import { readKeyFile, readTraceFile, TraceFile } from "../../harness/twin/trace-file.ts"
import { judge } from "../support.ts"
import { obscura } from "./run-obscura.ts"

const encodeTrace = (trace: Trace) => Buffer.concat([...traceParts(trace)])
const PICTURE = "pixels that are nobody else's"
const TRACE: Trace = {
  begin: { board: "pi", duration: 3_000, lensWatches: false, config: parseConfig() },
  records: [
    { port: "pins", at: 0, what: "edge", pin: 17, level: 1, bytes: NO_BYTES },
    {
      ...{ port: "lens", at: 12, what: "piece", arrived: 11.5, timing: [[3_000, 0]] },
      bytes: Buffer.from(PICTURE),
    },
    { port: "log", at: 30, what: "line", text: "started", bytes: NO_BYTES },
    { port: "cloud", at: 30, what: "segment", bytes: Buffer.from(PICTURE) },
  ],
}

let folder: string
const at = (name: string) => join(folder, name)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-twin-trace-"))
  for (const name of ["key", "other"])
    await writeFile(at(name), `# created: today\n${(await newHouseholdIdentity("x25519")).secretText}\n`)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** A file of `bytes`, sealed for the engineer. */
async function sealed(name: string, bytes: Uint8Array): Promise<string> {
  const { recipient } = await readKeyFile(at("key"))
  const { header, payload } = await sealAge(bytes, recipient)
  await writeFile(at(name), Buffer.concat([header, ...payload]))
  return at(name)
}

describe("a trace file", () => {
  test("is sealed for the engineer, for nobody else to read, and opens to what was put in", async () => {
    const { recipient, identity } = await readKeyFile(at("key"))
    const file = await TraceFile.create(at("t.age"), recipient)
    await file.write(TRACE)
    await file.close()
    const bytes = await readFile(at("t.age"))
    expect(bytes.includes(PICTURE)).toBe(false)
    expect((await stat(at("t.age"))).mode & 0o777).toBe(0o600)
    const { begin, records } = await readTraceFile(at("t.age"), identity)
    expect(begin).toEqual(TRACE.begin)
    expect(records.map(({ bytes, ...head }) => [head, Buffer.from(bytes).toString()])).toEqual(
      TRACE.records.map(({ bytes, ...head }) => [head, Buffer.from(bytes).toString()]),
    )
  })

  test.skipIf(!judge("age"))("opens with stock age", async () => {
    const path = await sealed("stock.age", encodeTrace(TRACE))
    const { stdout } = spawnSync("age", ["-d", "-i", at("key"), path])
    expect(stdout.equals(encodeTrace(TRACE))).toBe(true)
  })

  test("that nothing was written into is not left behind, and none is overwritten", async () => {
    const { recipient } = await readKeyFile(at("key"))
    const file = await TraceFile.create(at("empty.age"), recipient)
    await expect(TraceFile.create(at("empty.age"), recipient)).rejects.toThrow(/choose a new file as --out/)
    await file.close()
    await expect(stat(at("empty.age"))).rejects.toThrow(/ENOENT/)
  })

  const refused: Readonly<Record<string, () => Promise<readonly [string, string, RegExp]>>> = {
    "for another key": async () => [
      await sealed("a", encodeTrace(TRACE)),
      "other",
      /another key than that of --key/,
    ],
    "cut short": async () => {
      const whole = await readFile(await sealed("b", encodeTrace(TRACE)))
      await writeFile(at("b"), whole.subarray(0, whole.length - 20))
      return [at("b"), "key", /b: /]
    },
    "that holds a trace cut short": async () => [
      await sealed("c", encodeTrace(TRACE).subarray(0, -30)),
      "key",
      /not a trace of obscura: it is cut short/,
    ],
    "of garbage": async () => {
      await writeFile(at("d"), "this is no age file\n")
      return [at("d"), "key", /d: /]
    },
    "that holds something else": async () => [
      await sealed("e", Buffer.from("a film")),
      "key",
      /not a trace of obscura: it does not begin with/,
    ],
    "of another version": async () => [
      await sealed("f", Buffer.from("obscura twin trace 2\nwho knows")),
      "key",
      /version 2, and this obscura reads version 1: record it anew/,
    ],
    "that is not there": async () => [at("nowhere"), "key", /nowhere: cannot be read/],
  }
  test.each(Object.entries(refused))("%s is refused in one line", async (_name, make) => {
    const [path, key, message] = await make()
    const { identity } = await readKeyFile(at(key))
    const error: unknown = await readTraceFile(path, identity).catch((thrown: unknown) => thrown)
    if (!isFault(error)) throw error
    expect(error.message).toMatch(message)
    expect(error.message).not.toContain("\n")
    expect(["usage", "malformed", "unsupported"]).toContain(error.kind)
  })

  test("a key file that is none says so, and repeats nothing of it", async () => {
    for (const text of ["", "AGE-SECRET-KEY-1WRONG\n", "two\nkeys\n", "x".repeat(20_000)]) {
      await writeFile(at("bad"), text)
      const error: unknown = await readKeyFile(at("bad")).catch((thrown: unknown) => thrown)
      expect(isFault(error, "usage") && error.message).toMatch(/bad: /)
      expect(isFault(error) && error.message).not.toContain("WRONG")
    }
  })
})

describe("a trace's bytes", () => {
  const whole = encodeTrace(TRACE)
  const isRefusal = (error: unknown) => isFault(error, "malformed") || isFault(error, "unsupported")
  const outcome = (bytes: Uint8Array): unknown => {
    try {
      return decodeTrace(bytes)
    } catch (error) {
      return error
    }
  }

  test("cut anywhere are no trace", () => {
    for (let length = 0; length < whole.length; length++)
      expect(isRefusal(outcome(whole.subarray(0, length)))).toBe(true)
  })

  test("with a byte changed or added are a trace or a refusal, and nothing worse", () => {
    const changes = fc.record({
      at: fc.nat(whole.length - 1),
      to: fc.nat(255),
      more: fc.uint8Array({ maxLength: 9 }),
    })
    fc.assert(
      fc.property(changes, ({ at, to, more }) => {
        const bytes = Buffer.concat([whole, more])
        bytes[at] = to
        const got = outcome(bytes)
        return !(got instanceof Error) || isRefusal(got)
      }),
    )
  })

  const wrong: Readonly<Record<string, unknown>> = {
    "an unknown port": { port: "disk", at: 0, what: "edge" },
    "an unknown kind": { port: "pins", at: 0, what: "leap" },
    "a field too many": { port: "log", at: 0, what: "line", text: "x", key: "y" },
    "a field missing": { port: "pins", at: 0, what: "edge", pin: 17 },
    "a pin that no Pi has": { port: "pins", at: 0, what: "edge", pin: 99, level: 1 },
    "a time before the beginning": { port: "lens", at: -1, what: "asked" },
    "a time that is no whole millisecond": { port: "lens", at: 0.5, what: "asked" },
    "a text without end": { port: "log", at: 0, what: "line", text: "x".repeat(9_000) },
    "nothing at all": null,
  }
  test.each(Object.entries(wrong))("with %s in a record are no trace", (_name, record) => {
    const records = [{ ...(record as object), bytes: NO_BYTES }] as unknown as Trace["records"]
    expect(isRefusal(outcome(encodeTrace({ ...TRACE, records })))).toBe(true)
  })

  test("whose times go back, or whose configuration is none, are no trace", () => {
    const records = TRACE.records.toSpliced(0, 1).concat(TRACE.records.slice(0, 1))
    expect(isRefusal(outcome(encodeTrace({ ...TRACE, records })))).toBe(true)
    const config = { ...TRACE.begin.config, sealing: "off" }
    expect(isRefusal(outcome(encodeTrace({ ...TRACE, begin: { ...TRACE.begin, config } })))).toBe(true)
  })

  test("of a record larger than any are refused before anything is read", () => {
    const bytes = Buffer.from(whole)
    bytes.writeUInt32BE(0xffff_ffff, "obscura twin trace 1\n".length + 4)
    expect(isRefusal(outcome(bytes))).toBe(true)
  })
})

describe("obscura twin", () => {
  const run = (...words: readonly string[]) => obscura(folder, "twin", ...words)

  test("has no way to leave a trace unsealed", async () => {
    const { code, stderr } = await run("record", "--board", "virtual", "--seconds", "1", "--out", "plain")
    expect(stderr).toMatch(/for whom is the trace/)
    expect(code).toBe(2)
  })

  // The last one: it replaces this process's time.
  test("records, replays and finds nothing", async () => {
    const recorded = await run(
      "record",
      "--board",
      "virtual",
      "--seconds",
      "6",
      "--key",
      "key",
      "--out",
      "v.age",
    )
    expect(recorded.stderr).toMatch(/clip opened[\s\S]*v\.age: 6 s of the virtual board, \d+ inputs, 1 clips/)
    expect(recorded.code).toBe(0)
    const replayed = await run("replay", "v.age", "--key", "key", "--json")
    expect(JSON.parse(replayed.stdout)).toMatchObject({ schema: "obscura.twin.v1", same: true, clips: 1 })
    expect(replayed.code).toBe(0)
  })
})
