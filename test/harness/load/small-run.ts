import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { networkDialler } from "../../../hardware/dialler.ts"
import { startCloud } from "../../../harness/cloud/broker.ts"
import { readBucket } from "../../../harness/cloud/bucket.ts"
import { openCloudKeys } from "../../../harness/cloud/keys.ts"
import { resultOf } from "../../../harness/load/camera-result.ts"
import type { Evidence } from "../../../harness/load/evidence.ts"
import { serverIdentities } from "../../../harness/load/outsiders.ts"
import { pairAll } from "../../../harness/load/pairing.ts"
import { type FleetPlan, loadPlan } from "../../../harness/load/plan.ts"
import { bucketSource } from "../../../harness/owner/bucket-source.ts"
import { parseScenario } from "../../../harness/scenario/load-scenario.ts"
import type { ScenarioInput } from "../../../harness/scenario/scenario.ts"
import { Fleet } from "../../../simulator/fleet.ts"

/** Of all cameras of a scenario. */
export function planOf(input: Partial<ScenarioInput>, seed: number): FleetPlan {
  const scenario = parseScenario({ description: "a test", ...input }, "test")
  return { seed, name: "test", scenario, from: 0, to: scenario.fleet.cameras }
}

/** A real run of a few cameras in this process, as the evidence that a judge gets. */
export interface SmallRun {
  readonly evidence: Evidence
  readonly fleet: Fleet
  readonly directory: string
  remove(): Promise<void>
}

export async function smallRun(cameras: number, seconds: number): Promise<SmallRun> {
  const directory = await mkdtemp(join(tmpdir(), "obscura-run-"))
  const keyFile = join(directory, "cloud-keys.json")
  const bucketFolder = join(directory, "bucket")
  const loaded = await loadPlan(planOf({ fleet: { cameras }, seconds }, 11))
  const cloud = await startCloud({
    host: "127.0.0.1",
    port: 0,
    name: "test.local",
    directory: bucketFolder,
    keys: await openCloudKeys(keyFile),
    log: { write: () => undefined },
  })
  const broker = `mqtt://127.0.0.1:${cloud.port}`
  const fleet = new Fleet({
    seed: loaded.plan.seed,
    duration: seconds * 1_000,
    cameras: Array.from({ length: cameras }, (_, index) => loaded.camera(index)),
    dialler: networkDialler(broker),
  })
  const { signal } = new AbortController()
  const owners = await pairAll(0, cameras, {
    cloud: cloud.identity,
    broker,
    show: (index, text) => void fleet.pair(index, text),
    onPaired: () => undefined,
    signal,
  })
  await fleet.endPairings()
  await fleet.run(signal)
  await cloud.close()
  const bucket = await readBucket(bucketFolder)
  return {
    fleet,
    directory,
    evidence: {
      seed: loaded.plan.seed,
      camera: (index) => loaded.camera(index),
      cameras: fleet.members.map((member) => resultOf(member)),
      owners,
      source: bucketSource(bucket),
      storedObjects: bucket.objectCount,
      serverKeys: await serverIdentities(keyFile),
      canary: loaded.canary,
      plainPlaces: [bucketFolder],
      struck: () => [],
      strangersLetIn: 0,
      limits: {},
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  }
}
