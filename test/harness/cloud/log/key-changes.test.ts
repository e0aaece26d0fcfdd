import { mkdir } from "node:fs/promises"
import { afterEach, describe, expect, test } from "vitest"
import { verify } from "../../../../firmware/control/dsse.ts"
import { type Heartbeat, heartbeatShape } from "../../../../firmware/control/protocol.ts"
import { Fault } from "../../../../firmware/errors.ts"
import { openBeats } from "../../../../harness/cloud/beats.ts"
import type { AccessLog } from "../../../../harness/cloud/log/access-log.ts"
import { loggedBeats } from "../../../../harness/cloud/log/key-changes.ts"
import { type AccessRecord, decodeRecord } from "../../../../harness/cloud/log/records.ts"
import { mutant } from "../../../mutants.ts"
import { heartbeatOf, newKey } from "../camera.ts"
import { deviceOf, Folders, openLog } from "./logs.ts"

const folders = new Folders()
afterEach(() => folders.remove())

const device = deviceOf(1)
/** Verified long before it comes here: only what the log reads of it counts. */
const beat = (epoch: number, number = 0): Heartbeat =>
  ({ device, epoch, number, recipients: String(epoch).repeat(64), owner: deviceOf(2) }) as Heartbeat

async function epochsIn(log: AccessLog): Promise<readonly unknown[]> {
  return (await log.mailbox(device)).map(({ record }) => {
    const logged = decodeRecord(record).record
    return logged.kind === "key change" && [logged.epoch, logged.reason]
  })
}

describe("heartbeats that are logged", () => {
  test("leave one record for each change of whom the camera seals for, whatever is said again", async () => {
    const log = await openLog(await folders.make())
    const beats = loggedBeats(await openBeats(null), log, () => 1, unexpected)
    for (const [at, epoch] of [1, 1, 2, 2, 2, 1, 3, 2].entries()) {
      expect(beats.set(beat(epoch, at), Buffer.from("envelope"))).toBe(true)
      await beats.flush()
    }
    expect(await epochsIn(log)).toEqual([
      [1, "paired"],
      [2, "recipients changed by the owner"],
      [3, "recipients changed by the owner"],
    ])
    await log.close()
  })

  test("leave no second record where a crash kept the record and lost the heartbeat", async () => {
    const log = await openLog(await folders.make())
    for (let crashes = 0; crashes < 3; crashes++) {
      const beats = loggedBeats(await openBeats(null), log, () => 1, unexpected)
      beats.set(beat(1), Buffer.from("envelope"))
      await beats.flush()
    }
    expect(await epochsIn(log)).toHaveLength(1)
    await log.close()
  })

  /** How many records there are when the disk was full for the first of two heartbeats. */
  async function afterFull(logs: typeof loggedBeats): Promise<number> {
    const log = await openLog(await folders.make())
    let isFull = true
    const failing = {
      append: (record: AccessRecord) =>
        isFull ? Promise.reject(new Fault("full", "no room")) : log.append(record),
      ...{ mailbox: async () => [], publish: () => log.publish() },
    }
    const beats = logs(
      await openBeats(null),
      failing,
      () => 1,
      () => undefined,
    )
    for (const number of [0, 1, 2]) {
      beats.set(beat(1, number), Buffer.from("envelope"))
      await beats.flush()
      isFull = false
    }
    const { size } = log
    await log.close()
    return size
  }

  test("log a change that could not be, with the camera's next heartbeat, once", async () => {
    expect(await afterFull(loggedBeats)).toBe(1)
    const path = "harness/cloud/log/key-changes.ts"
    const mistake = { path, from: " || open?.isGoing === false", to: "" }
    const forgets = await mutant<typeof import("../../../../harness/cloud/log/key-changes.ts")>(path, mistake)
    expect(await afterFull(forgets.loggedBeats)).toBe(0)
  })

  /** How many records there are when the log was full until the cloud ended, and not when it started again. */
  async function afterEnd(logs: typeof loggedBeats): Promise<number> {
    const [log, folder] = [await openLog(await folders.make()), await folders.make()]
    await mkdir(folder)
    const key = newKey()
    const change = heartbeatOf(key, { owner: deviceOf(2) })
    const body = verify("heartbeat", change, key, heartbeatShape)
    const append = () => Promise.reject(new Fault("full", "no room"))
    const full = { append, mailbox: async () => [], publish: async () => undefined }
    for (const each of [full, log]) {
      const beats = logs(
        await openBeats(folder),
        each,
        () => 1,
        () => undefined,
      )
      beats.set(body, change)
      await beats.flush()
    }
    const { size } = log
    await log.close()
    return size
  }

  test("log a change that could not be before the cloud ended, when it has started again", async () => {
    expect(await afterEnd(loggedBeats)).toBe(1)
    const path = "harness/cloud/log/key-changes.ts"
    const mistake = { path, from: "beats.flush(unlogged)", to: "beats.flush()" }
    const forgets = await mutant<typeof import("../../../../harness/cloud/log/key-changes.ts")>(path, mistake)
    expect(await afterEnd(forgets.loggedBeats)).toBe(0)
  })

  test("go on where the log fails, which is said", async () => {
    const told: string[] = []
    const full = new Fault("full", "no room")
    const failing = {
      append: () => Promise.reject(full),
      mailbox: async () => [],
      publish: async () => undefined,
    }
    const beats = loggedBeats(
      await openBeats(null),
      failing,
      () => 1,
      (error) => told.push(error.kind),
    )
    expect(beats.set(beat(1), Buffer.from("envelope"))).toBe(true)
    await beats.flush()
    expect(told).toEqual(["full"])
    expect(beats.latest(device)).not.toBeNull()
  })
})

function unexpected(error: Fault): void {
  throw error
}
