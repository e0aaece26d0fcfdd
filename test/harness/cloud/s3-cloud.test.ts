import { randomBytes } from "node:crypto"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { sha256Hex } from "../../../firmware/control/keys.ts"
import type { Cloud } from "../../../harness/cloud/broker.ts"
import { CLOUD_NAME, openCloudKeys } from "../../../harness/cloud/keys.ts"
import { readS3Bucket } from "../../../harness/cloud/s3-bucket.ts"
import { openHomeCloud } from "../../../harness/commands/cloud.ts"
import { OwnerFolder } from "../../../harness/owner/folder.ts"
import type { OwnerKeys } from "../../../harness/owner/keys.ts"
import { LogMemory } from "../../../harness/owner/log-memory.ts"
import { owner } from "../owner/run-command.ts"
import { runMain } from "../owner/run-main.ts"
import { heartbeatOf, manifestOf, newKey, randomObject, TestCamera } from "./camera.ts"
import { type S3Service, startS3 } from "./s3-service.ts"

/** A home cloud whose sealed objects lie in S3: quota, deletion and the access log, with the owner's own commands. */

let folder: string
let service: S3Service
let cloud: Cloud
let keys: OwnerKeys
let camera: TestCamera
const home = () => join(folder, "home")
const at = () => ["--home", home(), "--bucket", "s3://clips/tests/home", "--s3-endpoint", service.endpoint]
const clips = [0, 1, 2].map(() => randomBytes(16).toString("hex"))

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-s3-cloud-"))
  service = await startS3(join(folder, "service"))
  const s3 = { ...service.place, prefix: "tests/home/" }
  const directory = join(home(), "cloud")
  cloud = await openHomeCloud(directory, { port: 0 }, { write: () => undefined }, { s3, quotaBytes: 25_000 })
  const ownerFolder = new OwnerFolder(join(home(), "owner"))
  keys = await ownerFolder.create("x25519", null)
  const key = newKey()
  const receiptKey = (await openCloudKeys(join(directory, "keys.json"))).receipt
  camera = await TestCamera.connect(cloud.port, key, receiptKey, { broker: CLOUD_NAME })
  await ownerFolder.addCamera(key)
  await new LogMemory(join(home(), "owner")).pin(key.id, cloud.identity)
  const recipients = sha256Hex(keys.recipientsFor(key.id, 1))
  await camera.say("beat", heartbeatOf(key, { owner: keys.signingKeyFor(key.id).id, recipients }))
  let previous = "0".repeat(64)
  for (const [sequence, clip] of clips.entries()) {
    const manifest = manifestOf(key, [randomObject(10_000, { clip })], { sequence, previous, recipients })
    await camera.upload(manifest)
    previous = manifest.hash
  }
}, 30_000)
afterAll(async () => {
  await camera.end()
  await cloud.close()
  await service.close()
  await rm(folder, { recursive: true, force: true })
})

const inS3 = async () => {
  const bucket = await readS3Bucket({ ...service.place, prefix: "tests/home/" })
  const objects = [...bucket.objectsOf(camera.key.id)]
  await bucket.close()
  return objects.length
}

describe("a cloud whose bucket is in S3", () => {
  test("lets the oldest clip go at the quota, there too, and an owner reads it where it is", async () => {
    await vi.waitUntil(async () => (await inS3()) === 2)
    const { output } = await owner("list", ...at())
    expect(output).toContain("2 clips, and 1 deleted or let go")
    expect(output).not.toContain(clips[0])
  })

  test("deletes there what its owner wants gone, and the access log in its folder tells of it", async () => {
    const broker = ["--broker", `mqtt://127.0.0.1:${cloud.port}`, "--wait", "10"]
    const { code, output } = await owner("delete", clips[1] ?? "", "--yes", ...at(), ...broker)
    expect([code, output]).toEqual([0, expect.stringContaining("1 objects are gone")])
    expect(await inS3()).toBe(1)
    const log = await owner("log", ...at(), ...broker)
    expect([log.code, log.output]).toEqual([
      0,
      expect.stringMatching(/deletion +owner [0-9a-f]{8} +1 object /),
    ])
  })

  test.each([
    [["--bucket", "s3://X"], /it looks like s3:\/\/bucket\/prefix/],
    [["--s3-endpoint", "https://host:9000"], /--s3-endpoint goes with --bucket/],
    [
      ["--bucket", "s3://clips/a", "--s3-endpoint", "http://elsewhere"],
      /plain http:\/\/ is for this machine/,
    ],
    [["--bucket", "s3://clips/nobody", "--s3-endpoint", "here"], /nothing of obscura's there/],
  ])("a wrong place is one line: %j", async (words, says) => {
    const place = words.map((word) => (word === "here" ? service.endpoint : word))
    const { code, err } = await runMain("owner", "list", "--home", home(), ...place)
    expect([code, err.trim().split("\n"), err]).toEqual([
      2,
      [expect.any(String)],
      expect.stringMatching(says),
    ])
    if (words[0] === "--s3-endpoint") {
      const other = await runMain("cloud", "--home", join(folder, "other"), ...place)
      expect([other.code, other.err]).toEqual([2, expect.stringMatching(says)])
    }
  })
})
