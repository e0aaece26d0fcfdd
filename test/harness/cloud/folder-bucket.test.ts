import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import * as folders from "../../../harness/cloud/bucket.ts"
import { mutant } from "../../mutants.ts"
import { announceOneIdAtOnce, testBucket } from "./bucket-contract.ts"

describe("a bucket in a folder", () => {
  testBucket(async () => {
    const root = await mkdtemp(join(tmpdir(), "obscura-bucket-"))
    const directory = join(root, "bucket")
    return {
      open: () => folders.openBucket(directory),
      read: () => folders.readBucket(directory),
      remove: () => rm(root, { recursive: true }),
    }
  })

  test("that does not tell whose an id is when two come with one write is noticed", async () => {
    const { openBucket } = await mutant<typeof folders>("harness/cloud/bucket.ts", {
      path: "harness/cloud/bucket.ts",
      from: "?? seen.get(id) ??",
      to: "??",
    })
    const folder = await mkdtemp(join(tmpdir(), "obscura-bucket-"))
    onTestFinished(() => rm(folder, { recursive: true }))
    const bucket = await openBucket(folder)
    const refusals = (await announceOneIdAtOnce(bucket)).map(({ refusal }) => refusal)
    await bucket.close()
    expect(refusals).toEqual([null, null])
  })
})
