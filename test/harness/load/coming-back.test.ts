import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { Fault } from "../../../firmware/errors.ts"
import type { Dialler } from "../../../firmware/ports.ts"
import { networkDialler } from "../../../hardware/dialler.ts"
import { startCloud } from "../../../harness/cloud/broker.ts"
import { openCloudKeys } from "../../../harness/cloud/keys.ts"
import { resultOf } from "../../../harness/load/camera-result.ts"
import { pairAll } from "../../../harness/load/pairing.ts"
import { loadPlan } from "../../../harness/load/plan.ts"
import { Fleet } from "../../../simulator/fleet.ts"
import { planOf } from "./small-run.ts"

test("a fleet waits for a camera that has nothing to send and is not back yet", async ({
  onTestFinished,
}) => {
  const directory = await mkdtemp(join(tmpdir(), "obscura-back-"))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const loaded = await loadPlan(planOf({ fleet: { cameras: 1 }, seconds: 1 }, 11))
  const cloud = await startCloud({
    ...{ host: "127.0.0.1", port: 0, name: "test.local", directory: join(directory, "bucket") },
    keys: await openCloudKeys(join(directory, "cloud-keys.json")),
    log: { write: () => undefined },
  })
  onTestFinished(() => cloud.close())
  const broker = `mqtt://127.0.0.1:${cloud.port}`
  const there = networkDialler(broker)
  let isAway = false
  const dialler: Dialler = {
    dial: async (pin, signal) => {
      if (isAway) throw new Fault("unavailable", "away")
      return there.dial(pin, signal)
    },
  }
  const nobody = { ...loaded.camera(0), visits: [] }
  const fleet = new Fleet({ seed: 11, duration: 1_000, cameras: [nobody], dialler })
  const { signal } = new AbortController()
  await pairAll(0, 1, {
    ...{ cloud: cloud.identity, broker, signal, onPaired: () => undefined },
    show: (index, text) => void fleet.pair(index, text),
  })
  await fleet.endPairings()
  isAway = true
  await fleet.run(signal, () => {
    isAway = false
  })
  expect(fleet.members.map((member) => resultOf(member))).toMatchObject([{ connected: true, settled: true }])
})
