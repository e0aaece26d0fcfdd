import { expect, test } from "vitest"
import { OBJECT_BYTES_MAX, PAYLOAD_BYTES_MAX } from "../../../firmware/control/protocol.ts"
import { MiB } from "../../../firmware/units.ts"
import * as s3 from "../../../harness/cloud/s3-bucket.ts"
import { S3Door } from "../../../harness/cloud/s3-door.ts"
import { type Mistake, mutant } from "../../mutants.ts"
import { expectWhole, key, storeOne } from "./bucket-contract.ts"
import { s3World } from "./s3-world.ts"

const at = s3World()

const ID = "0".repeat(32)
const HASH = "0".repeat(64)
const FOREIGN: readonly (readonly [string, number])[] = [
  ["objects/family.jpg", 10],
  [`objects/${key.id}/${ID}.age.part`, 10],
  [`objects/${key.id.toUpperCase()}/${ID}.age`, 10],
  [`objects/${key.id}/${ID}.age`, OBJECT_BYTES_MAX + MiB + 1],
  ["manifests/readme.txt", 10],
  [`manifests/${key.id}/7-${HASH}.json`, 10],
  [`manifests/${key.id}/${"0".repeat(16)}-${HASH}.json`, PAYLOAD_BYTES_MAX + 1],
]

/** What is read of the at.place by whoever opens it, but for the marker. */
async function readWhileOpening(read: typeof s3.readS3Bucket): Promise<readonly string[]> {
  const asked: string[] = []
  at.service.answer = (method, path) => {
    const [, own = ""] = decodeURIComponent(path.split("?")[0] ?? "").split(at.place.prefix)
    if (method === "GET" && own !== "" && own !== "obscura-bucket") asked.push(own)
    return null
  }
  await (await read(at.place)).close()
  at.service.answer = () => null
  return asked
}

test("what is foreign by name or by its listed size is counted, and never read", async () => {
  const bucket = await s3.openS3Bucket(at.place)
  const manifest = await storeOne(bucket, 0)
  await bucket.close()
  const door = new S3Door(at.place)
  for (const [foreign, bytes] of FOREIGN) await door.put(foreign, Buffer.alloc(bytes))
  door.close()
  const reader = await s3.readS3Bucket(at.place)
  expect(reader.damage).toEqual([
    "manifests/: 3 foreign by name or size, not read",
    "objects/: 4 foreign by name or size, not read",
  ])
  expect(reader.objectCount).toBe(1)
  await expectWhole(reader, manifest)
  await reader.close()
  const own = `manifests/${key.id}/${"0".repeat(16)}-${manifest.hash}.json`
  expect(await readWhileOpening(s3.readS3Bucket)).toEqual([own])
  const path = "harness/cloud/s3-scan.ts"
  const mistakes: readonly Mistake[] = [
    { path, from: "name.test(key) &&", to: "" },
    { path, from: "&& bytes <= bytesMax", to: "" },
  ]
  for (const mistake of mistakes) {
    const { readS3Bucket } = await mutant<typeof s3>("harness/cloud/s3-bucket.ts", mistake)
    expect((await readWhileOpening(readS3Bucket)).length).toBeGreaterThan(1)
  }
})
