import { afterEach, expect, test } from "vitest"
import type { Heartbeat } from "../../../../firmware/control/protocol.ts"
import { Fault, isFault } from "../../../../firmware/errors.ts"
import { minutes } from "../../../../firmware/units.ts"
import { Allowance } from "../../../../harness/cloud/log/allowance.ts"
import * as bounded from "../../../../harness/cloud/log/bounded-log.ts"
import type { AccessRecord } from "../../../../harness/cloud/log/records.ts"
import {
  type RefusalBounds,
  RefusalRecords,
  type RefusedRequest,
} from "../../../../harness/cloud/log/refusals.ts"
import { type Mistake, mutant } from "../../../mutants.ts"
import { accessTo, deviceOf, Folders, openLog } from "./logs.ts"

const folders = new Folders()
afterEach(() => folders.remove())

const by = { role: "stranger", key: null } as const
const of = (device: string, refusal = "foreign topic"): RefusedRequest => ({
  ...{ device, request: "live view", refusal, by },
})
const known = { latest: () => ({}) as Heartbeat }
const BOUNDS: RefusalBounds = {
  ofOneCamera: { together: 3, every: minutes(15) },
  ofAll: { together: 10, every: minutes(1) },
}

/** What is written of each camera's refusals, and how many they stand for. */
async function written(
  refusals: (records: RefusalRecords, pass: (minutes: number) => Promise<void>) => Promise<void>,
  Records = RefusalRecords,
  beats: { latest(device: string): Heartbeat | null } = known,
): Promise<readonly number[]> {
  const log = await openLog(await folders.make())
  let now = 1_000
  const times: number[] = []
  const noting = {
    append: (record: AccessRecord) => {
      if (record.kind === "request refused") times.push(record.times)
      return log.append(record)
    },
    mailbox: (device: string) => log.mailbox(device),
    ...{ publish: () => log.publish(), directory: "", isAble: true },
  }
  const records = new Records(
    noting,
    beats,
    () => now,
    () => undefined,
    BOUNDS,
  )
  await refusals(records, async (passed) => {
    await records.drained()
    now += minutes(passed)
  })
  await records.drained()
  await log.close()
  return times
}

const flood = async (records: RefusalRecords, pass: (minutes: number) => Promise<void>) => {
  for (let n = 0; n < 1_000; n++) records.refused(of(deviceOf(1)))
  await pass(15)
  records.refused(of(deviceOf(1)))
}

test("a flood at one camera is a few records, and the next one tells how many it was", async () => {
  expect(await written(flood)).toEqual([1, 1, 1, 998])
})

test("a flood at many cameras is bounded over all of them", async () => {
  const wide = async (records: RefusalRecords) => {
    for (let n = 0; n < 200; n++) records.refused(of(deviceOf(n)))
  }
  expect(await written(wide)).toHaveLength(10)
})

test.each([
  ["of one camera", "!this.#ofOne.isLeft(device) || ", 4],
  ["of all", " || !this.#ofAll.isLeft(ALL)", 10],
])("without the bound %s it grows", async (_what, from, sound) => {
  const path = "harness/cloud/log/refusals.ts"
  const mistake: Mistake = { path, from, to: "" }
  const bent = await mutant<typeof import("../../../../harness/cloud/log/refusals.ts")>(path, mistake)
  const wide = async (records: RefusalRecords, pass: (minutes: number) => Promise<void>) => {
    for (let n = 0; n < 40; n++) records.refused(of(deviceOf(sound === 4 ? 1 : n)))
    await pass(0)
  }
  expect((await written(wide, bent.RefusalRecords)).length).toBeGreaterThan(sound)
})

/** Of a thousand records that one camera's owner causes, then one of another's, then one later. */
async function taken({ boundedLog }: typeof bounded): Promise<readonly number[]> {
  const log = await openLog(await folders.make())
  let now = 0
  const few = boundedLog(log, () => now, { together: 5, every: minutes(1) })
  const add = (device: number, n: number) =>
    few.append(accessTo(deviceOf(device), n)).then(
      () => 1,
      (error) => (isFault(error, "full") && error.definite ? 0 : Number.NaN),
    )
  const counts = [
    (await Promise.all(Array.from({ length: 1_000 }, (_, n) => add(1, n)))).reduce((a, b) => a + b),
  ]
  counts.push(await add(2, 0))
  now = minutes(2)
  counts.push(await add(1, 1_000))
  await log.close()
  return counts
}

test("one camera's records are bounded, whatever its owner signs, and nobody else's are", async () => {
  expect(await taken(bounded)).toEqual([5, 1, 1])
  const path = "harness/cloud/log/bounded-log.ts"
  const bent = await mutant<typeof bounded>(path, {
    path,
    from: "!allowance.isLeft(record.device)",
    to: "!record",
  })
  expect(await taken(bent)).toEqual([1_000, 1, 1])
})

test("a clock that is set back gives nothing, and takes nothing away", () => {
  let now = minutes(1_000)
  const allowance = new Allowance({ together: 3, every: minutes(1) }, () => now)
  let had = 0
  for (const minute of [1_000, 0, 0, 1]) {
    now = minutes(minute)
    for (; allowance.isLeft("a"); had++) allowance.take("a")
  }
  expect(had).toBe(3 + 1)
})

test("of a camera that the cloud has never heard of nothing is written", async () => {
  expect(await written(flood, RefusalRecords, { latest: () => null })).toEqual([])
})

test("whatever words a refusal has, one line of them is kept", async () => {
  const log = await openLog(await folders.make())
  const records = new RefusalRecords(
    log,
    known,
    () => 1,
    () => undefined,
  )
  for (const words of ["", " \n ", "a\u0000b\nc", "x".repeat(5_000), "😀".repeat(200), "\ud800"])
    records.refused(of(deviceOf(2), words))
  await records.drained()
  expect(log.size).toBe(6)
  await log.close()
})

test("a log that takes nothing is told once, and nobody who is refused waits for it", async () => {
  const told: Fault[] = []
  const failing = {
    append: () => Promise.reject(new Fault("full", "no room")),
    ...{ mailbox: async () => [], publish: async () => undefined, directory: "", isAble: false },
  }
  const records = new RefusalRecords(
    failing,
    known,
    () => 1,
    (error) => void told.push(error),
  )
  for (let n = 0; n < 100; n++) records.refused(of(deviceOf(n)))
  await records.drained()
  expect(told).toHaveLength(1)
})
