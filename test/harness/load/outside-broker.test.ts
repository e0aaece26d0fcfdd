import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { Command } from "commander"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { isFault } from "../../../firmware/errors.ts"
import { newAuthority, selfSigned } from "../../../harness/cloud/certificate.ts"
import { readS3Bucket } from "../../../harness/cloud/s3-bucket.ts"
import { S3Door } from "../../../harness/cloud/s3-door.ts"
import {
  addTargetOptions,
  type TargetOptions,
  targetOf,
  targetWords,
} from "../../../harness/commands/target-options.ts"
import { type FleetRun, runFleet } from "../../../harness/load/fleet-run.ts"
import { searchPlain } from "../../../harness/load/plain-search.ts"
import { Screen } from "../../../harness/load/screen.ts"
import type { ScenarioInput } from "../../../harness/scenario/scenario.ts"
import { judge } from "../../support.ts"
import { BUCKET, type S3Service, startS3 } from "../cloud/s3-service.ts"
import {
  type CertifiedMosquitto,
  freePort,
  type Mosquitto,
  startCertifiedMosquitto,
  startMosquitto,
} from "../mosquitto-broker.ts"
import { planOf } from "./small-run.ts"

const mosquitto = judge("mosquitto")
let folder: string
let service: S3Service
let broker: CertifiedMosquitto | null = null
let passworded: Mosquitto | null = null

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-outside-"))
  service = await startS3(join(folder, "s3"))
  if (mosquitto === null) return
  broker = await startCertifiedMosquitto(mosquitto, folder)
  await writeFile(file("passwords"), "")
  const locked = await mkdtemp(join(folder, "locked-"))
  passworded = await startMosquitto(mosquitto, locked, ["user root", `password_file ${file("passwords")}`])
})
afterAll(async () => {
  await broker?.stop()
  await passworded?.stop()
  await service.close()
  await rm(folder, { recursive: true, force: true })
})

let refused = 0
const file = (name: string) => join(folder, name)
const CALM: Partial<ScenarioInput> = {
  fleet: { cameras: 2, startWithin: 0.2, bitsPerSecond: 400_000 },
  seconds: 2,
  arrivals: { kind: "steady", perCameraHour: 3_600, stay: { min: 0.5, max: 0.5 } },
  final: { within: 20 },
}

async function runAgainst(
  options: TargetOptions,
  out: string,
  input: Partial<ScenarioInput> = CALM,
): Promise<{ readonly run: FleetRun; readonly said: string }> {
  const stream = new PassThrough()
  const said: string[] = []
  stream.on("data", (bytes) => said.push(String(bytes)))
  const run = await runFleet({
    ...{ plan: planOf(input, 3), out: file(out), keep: 5, command: "npm start" },
    ...{ screen: new Screen(stream as unknown as NodeJS.WriteStream), signal: new AbortController().signal },
    ...{ abortOnFail: false, prometheusPort: null, workers: 1 },
    target: await targetOf(options),
  })
  return { run, said: said.join("") }
}

function certified(over: TargetOptions = {}): TargetOptions {
  const { port = 0, brokerCa = "", clientCa = "", clientCaKey = "" } = broker ?? {}
  return { broker: `mqtts://127.0.0.1:${port}`, brokerCa, clientCa, clientCaKey, ...over }
}

async function expectRefusal(options: TargetOptions, advice: RegExp, input = CALM): Promise<void> {
  const error: unknown = await runAgainst(options, `refused-${refused++}`, input).catch(
    (reason: unknown) => reason,
  )
  if (!isFault(error)) throw error
  expect(error.message).toMatch(advice)
  expect(error.message).not.toContain("\n")
  expect(error.kind).toBe("usage")
}

describe.concurrent("a fleet against what exists already", () => {
  test.skipIf(mosquitto === null)(
    "holds at a mosquitto that knows each camera by its certificate, with its bucket in S3",
    async () => {
      const bucket = { bucket: `s3://${BUCKET}/fleets`, s3Endpoint: service.endpoint }
      const { run, said } = await runAgainst(certified({ subscribers: 2, ...bucket }), "held")
      expect(run.report.failures).toEqual([])
      expect(run.report.exitCode).toBe(0)
      expect(run.report.clips.delivered).toBeGreaterThan(1)
      const [, prefix = ""] = /s3:\/\/clips\/(fleets\/run-3-[0-9a-f]{8})/.exec(said) ?? []
      const place = { bucket: BUCKET, prefix: `${prefix}/`, endpoint: service.endpoint }
      const reader = await readS3Bucket(place)
      expect([reader.damage, reader.devices().length]).toEqual([[], 2])
      expect(await readdir(join(folder, "held", "bucket"))).not.toContain("volume-00000001")
      // The search for pictures in plain looks into S3 as well.
      await new S3Door(place).put("objects/left", Buffer.from("a canary-1234 in plain"))
      const { found } = await searchPlain([], "canary-1234", reader.everything())
      expect(found).toMatchObject([{ form: "plain", at: 2 }])
      const log = await readFile(join(folder, "held", "cloud.log"), "utf8")
      expect(log).not.toContain("unavailable")
    },
    60_000,
  )

  test.skipIf(mosquitto === null)(
    "is told that a broker's access list keeps the ingest from hearing cameras",
    async () => {
      // It knows the ingest by its name alone.
      await expectRefusal(certified({ brokerUser: "somebody" }), /does not come back from the ingest/)
    },
    60_000,
  )
})

describe("what cannot be is said in one line, before a camera is paired", () => {
  const outside = "mqtts://127.0.0.1:1"
  test.each<[string, TargetOptions, RegExp]>([
    ["a broker URL that is none", { broker: "http://127.0.0.1" }, /it looks like mqtts:\/\/host:8883/],
    ["plain TCP to another machine", { broker: "mqtt://example.org" }, /for this machine alone/],
    ["a password in the URL", { broker: "mqtts://a:b@example.org" }, /no user and password/],
    ["TLS twice", { tls: true, broker: outside }, /--tls is for the embedded broker/],
    ["a CA without a broker", { brokerCa: "x" }, /--broker-ca goes with --broker/],
    ["subscribers without a broker", { subscribers: 2 }, /--subscribers goes with --broker/],
    ["a CA file that is not there", { broker: outside, brokerCa: "none.pem" }, /none.pem: no such file/],
    ["a CA file that holds none", { broker: outside, brokerCa: "package.json" }, /no certificate in PEM/],
    ["a CA without its key", { broker: outside, clientCa: "x" }, /go together/],
    ["a CA for plain TCP", { broker: "mqtt://127.0.0.1", brokerCa: "x" }, /mqtt:\/\/ has no TLS/],
    [
      "a password for nobody",
      { broker: outside, brokerPasswordFile: "x" },
      /--broker-password-file goes with --broker-user/,
    ],
    ["a bucket that is none", { bucket: "clips" }, /it looks like s3:\/\/bucket\/prefix/],
    ["an endpoint without a bucket", { s3Endpoint: "https://x" }, /--s3-endpoint goes with --bucket/],
    ["a broker that is away", { broker: outside }, /connection refused: is the broker running\?/],
  ])("%s", async (_what, options, advice) => {
    await expectRefusal(options, advice)
  })

  test("a CA's key that is another's, that is none, or a certificate that may not vouch", async () => {
    const [one, two] = [newAuthority("one"), newAuthority("two")]
    const alone = selfSigned({ names: ["alone"] })
    for (const [name, { certificate, key }] of Object.entries({ one, two, alone })) {
      await writeFile(file(`${name}.pem`), certificate)
      await writeFile(file(`${name}.key`), key)
    }
    const pair = (ca: string, key: string) => ({
      ...{ broker: outside, clientCa: file(ca), clientCaKey: file(key) },
    })
    await expectRefusal(pair("one.pem", "two.key"), /--client-ca-key: not the key of the certificate/)
    await expectRefusal(pair("one.pem", "one.pem"), /--client-ca-key: no private key in PEM/)
    await expectRefusal(pair("one.key", "one.key"), /--client-ca: no certificate in PEM/)
    await expectRefusal(pair("alone.pem", "alone.key"), /may not vouch for others/)
  })

  test.skipIf(mosquitto === null)("a broker whom nobody vouches for, or somebody else", async () => {
    const { brokerCa: _, ...unnamed } = certified()
    await expectRefusal(unnamed, /the certificate of 127.0.0.1:\d+ does not hold/)
    await expectRefusal(certified({ brokerCa: certified().clientCa ?? "" }), /does not hold/)
  })

  test.skipIf(mosquitto === null)("a broker that knows none of the cameras, or not the ingest", async () => {
    const { clientCa: _, clientCaKey: __, ...strangers } = certified()
    await expectRefusal(strangers, /perhaps it wants a client certificate|hung up/)
    await writeFile(file("password"), "wrong\n")
    const broker = `mqtt://127.0.0.1:${passworded?.port}`
    const login = { broker, brokerUser: "ingest", brokerPasswordFile: file("password") }
    await expectRefusal(login, /the broker refuses the ingest; check its user and password/)
  })

  test("faults that an outside broker cannot be made to suffer", async () => {
    const faults: ScenarioInput["faults"] = [{ kind: "broker-kill", at: 1, for: 1 }]
    const storm = { ...CALM, faults }
    await expectRefusal({ broker: outside }, /"broker-kill" in this scenario strikes the embedded/, storm)
  })

  test("a bucket that is missing, without rights, or with nobody there", async () => {
    const at = (bucket: string, s3Endpoint = service.endpoint) => ({ bucket, s3Endpoint })
    await expectRefusal(at("s3://nobodys"), /--bucket s3:\/\/nobodys: no such bucket/)
    service.answer = (method) => (method === "PUT" ? { status: 403, code: "AccessDenied" } : null)
    await expectRefusal(at(`s3://${BUCKET}`), /these credentials may not do that/)
    service.answer = () => ({ status: 503, code: "SlowDown" })
    await expectRefusal(at(`s3://${BUCKET}`), /it asks for less at once/)
    service.answer = () => null
    await expectRefusal(at(`s3://${BUCKET}`, `http://127.0.0.1:${await freePort()}`), /connection refused/)
  })
})

test("the line that repeats a run names everything that it ran against, and no secret", () => {
  const words = "--broker mqtts://h --broker-user u --broker-password-file f --subscribers 3 --bucket s3://b"
  const command = addTargetOptions(new Command()).parse(words.split(" "), { from: "user" })
  expect(targetWords(command.opts()).join(" ")).toBe(words)
})
