import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { afterAll, beforeAll, expect, test } from "vitest"
import { isFault } from "../../../firmware/errors.ts"
import { networkDialler } from "../../../hardware/dialler.ts"
import { CloudKeeper } from "../../../harness/load/cloud-keeper.ts"
import { type FleetRun, runFleet } from "../../../harness/load/fleet-run.ts"
import { readyTarget } from "../../../harness/load/ready-target.ts"
import { makeRunFolder } from "../../../harness/load/run-folder.ts"
import { Screen } from "../../../harness/load/screen.ts"
import { brokerUrl, EMBEDDED } from "../../../harness/load/target.ts"
import { planOf } from "./small-run.ts"

let folder: string
let run: FleetRun
const TLS = { ...EMBEDDED, tls: true }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-tls-"))
  const plan = planOf(
    {
      fleet: { cameras: 2, startWithin: 0.2, bitsPerSecond: 400_000, pairing: "beforehand" },
      seconds: 4,
      arrivals: { kind: "steady", perCameraHour: 3_600, stay: { min: 0.5, max: 0.5 } },
      // What comes back must be whom the cameras pinned.
      faults: [{ kind: "broker-restart", at: 3, for: 0.2 }],
      final: { within: 30 },
    },
    3,
  )
  run = await runFleet({
    ...{ plan, out: join(folder, "out"), keep: 5, command: "npm start --tls", target: TLS },
    screen: new Screen(new PassThrough() as unknown as NodeJS.WriteStream),
    signal: new AbortController().signal,
    ...{ abortOnFail: false, prometheusPort: null, workers: 1 },
  })
}, 60_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

test("a fleet over TLS holds, also when its broker was away meanwhile", async () => {
  expect(run.report.failures).toEqual([])
  expect(run.report.exitCode).toBe(0)
  expect(run.report.clips.delivered).toBeGreaterThan(1)
  const log = await readFile(join(folder, "out", "cloud.log"), "utf8")
  expect(log.match(/"event":"connected"/g)?.length).toBeGreaterThanOrEqual(4)
})

test("cameras take the broker of their pairing and no other; by the authority of the run nobody goes", async () => {
  const target = await readyTarget(TLS, planOf({}, 1).scenario, 1)
  const keeper = new CloudKeeper(await makeRunFolder(join(folder, "keeper"), 1, 5), 1, target)
  try {
    const { port, identity } = await keeper.start()
    const dialler = networkDialler(brokerUrl(target, port))
    const { signal } = new AbortController()
    const { stream, binding } = await dialler.dial(identity.brokerKey, signal)
    stream.destroy()
    expect(binding).toHaveLength(32)
    await expect(dialler.dial("00".repeat(32), signal)).rejects.toThrow("is not the broker of the pairing")
    await expect(dialler.dial(null, signal)).rejects.toSatisfy((error) => isFault(error, "refused"))
    const plain = networkDialler(`mqtt://127.0.0.1:${port}`)
    await expect(plain.dial(identity.brokerKey, signal)).rejects.toThrow("cannot prove the broker")
  } finally {
    await keeper.end()
  }
})
