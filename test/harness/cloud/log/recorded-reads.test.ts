import { join } from "node:path"
import { afterEach, expect, test } from "vitest"
import { Fault } from "../../../../firmware/errors.ts"
import { openBucket } from "../../../../harness/cloud/bucket.ts"
import * as reads from "../../../../harness/cloud/log/recorded-reads.ts"
import type { AccessRecord } from "../../../../harness/cloud/log/records.ts"
import { mutant } from "../../../mutants.ts"
import { manifestOf, newKey, randomObject } from "../camera.ts"
import { Folders } from "./logs.ts"

const folders = new Folders()
afterEach(() => folders.remove())

/** Of two reads of one object by a curious colleague, and one of an object that is not there: the records. */
async function recordsOf({ recordedReads }: typeof reads, fails = false, onFault?: (error: Fault) => void) {
  const bucket = await openBucket(join(await folders.make(), "bucket"))
  const camera = newKey()
  const object = randomObject(5_000)
  const { envelope, hash, body } = manifestOf(camera, [object])
  const objects = [{ entry: object.entry, parts: [object.bytes] }]
  await bucket.store({ device: camera.id, objects, manifest: { envelope, hash, body } })
  const records: AccessRecord[] = []
  const log = {
    append: async (record: AccessRecord) => {
      if (fails) throw new Fault("full", "no room")
      records.push(record)
      return { index: 0, commitment: new Uint8Array() }
    },
    ...{ mailbox: async () => [], publish: async () => undefined, directory: "", isAble: true },
  }
  const by = () => ({ role: "staff", key: null }) as const
  const read = recordedReads(bucket, log, { by, reason: "curious", ...(onFault ? { onFault } : {}) })
  try {
    expect(await read.objectBytes(object.entry.id)).toEqual(object.bytes)
    await read.extract(object.entry.id, join(bucket.directory, "copy"))
    expect(await read.objectBytes("0".repeat(32))).toBeNull()
    expect(read.manifests(camera.id)).toHaveLength(1)
  } finally {
    await bucket.close()
  }
  return records.map((record) => ({ ...record, mine: record.device === camera.id }))
}

test("whoever reads an object is recorded first: in which role, and why", async () => {
  const record = { kind: "ciphertext read", by: { role: "staff", key: null }, reason: "curious", mine: true }
  expect(await recordsOf(reads)).toMatchObject([record, record])
  const path = "harness/cloud/log/recorded-reads.ts"
  const bent = await mutant<typeof reads>(path, {
    ...{ path, from: "      await record(id)\n      return bucket", to: "      return bucket" },
  })
  expect(await recordsOf(bent)).toHaveLength(1)
})

test("where nothing can be recorded nothing is read, but by an owner, who is told", async () => {
  await expect(recordsOf(reads, true)).rejects.toMatchObject({ kind: "full" })
  const told: Fault[] = []
  await recordsOf(reads, true, (error) => void told.push(error))
  expect(told).toHaveLength(2)
})
