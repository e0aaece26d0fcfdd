import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { sha256Hex } from "../../../firmware/control/keys.ts"
import { copyLog } from "../../../harness/checks/worlds/log-folders.ts"
import { CLOUD_NAME, openCloudKeys } from "../../../harness/cloud/keys.ts"
import { recordAccess } from "../../../harness/cloud/log/record-access.ts"
import * as buckets from "../../../harness/commands/owner-bucket.ts"
import { mutant } from "../../mutants.ts"
import { manifestOf, randomObject, TestCamera } from "../cloud/camera.ts"
import { owner } from "./run-command.ts"
import { type TwoOwners, twoOwners } from "./two-owners.ts"

/** What other programs of a cloud that runs leave for its access log, and the owner's own among them. */

let world: TwoOwners
const object = randomObject(4_000)
const log = () => join(world.one.home, "cloud", "log")
const far = () => ["--home", world.one.home, "--broker", world.url, "--wait", "10"]

beforeAll(async () => {
  world = await twoOwners()
  const { camera, keys, home } = world.one
  const { receipt } = await openCloudKeys(join(home, "cloud", "keys.json"))
  const one = await TestCamera.connect(world.cloud.port, camera, receipt, { broker: CLOUD_NAME })
  const recipients = sha256Hex(keys.recipientsFor(camera.id, 1))
  await one.upload(manifestOf(camera, [object], { recipients }))
  await one.end()
})
afterAll(() => world.close())

/** What the log says, when it says so: the cloud takes what others leave within a second. */
async function logWith(words: RegExp): Promise<string> {
  for (;;) {
    const { output } = await owner("log", ...far())
    if (words.test(output)) return output
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

describe("beside a cloud that runs", () => {
  test("what support asks is in the log in a moment", async () => {
    const { id: device } = world.one.camera
    await recordAccess(log(), {
      ...{ kind: "support", device, by: { role: "support", key: "ab".repeat(20) } },
      ...{ reason: "a picture that freezes", request: "c".repeat(64), step: "asked" },
    })
    expect(await logWith(/support +support abababab +asked +a picture that freezes/)).toContain(
      "records, proven",
    )
  })

  test("an owner's own look at a clip is, and their list is not", async () => {
    await owner("list", "--home", world.one.home)
    await owner("open", "--home", world.one.home, "--out", join(world.folder, "opened"))
    const id = object.entry.id.slice(0, 8)
    const output = await logWith(/ciphertext read +owner/)
    const read = new RegExp(`ciphertext read +owner [0-9a-f]{8} +object ${id} +the owner opens a clip`, "g")
    expect(output.match(read)).toHaveLength(1)
    expect(output.match(/ciphertext read +owner/g)).toHaveLength(1)
  })

  test("a command that reads without a word leaves no record", async () => {
    const path = "harness/commands/owner-bucket.ts"
    const mistake = { path, from: "isRecorded ? recordedReads(bucket, log, reader) : bucket", to: "bucket" }
    const silent = await mutant<typeof buckets>(path, mistake)
    // A copy, whose cloud does not run and takes nothing.
    const home = join(world.folder, "copy")
    await copyLog(world.one.home, home)
    const inbox = join(home, "cloud", "log", "private", "inbox")
    const waiting: number[] = []
    const by = () => ({ role: "staff", key: null }) as const
    for (const { openBucketOf } of [silent, buckets]) {
      const { bucket } = await openBucketOf({ home }, { by, reason: "curious" })
      await bucket.objectBytes(object.entry.id)
      waiting.push((await readdir(inbox)).length)
    }
    expect(waiting).toEqual([0, 1])
  })
})
