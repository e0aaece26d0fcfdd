import { describe, expect, test } from "vitest"
import { isFault } from "../../../firmware/errors.ts"
import * as s3 from "../../../harness/cloud/s3-bucket.ts"
import { storeOne } from "./bucket-contract.ts"
import { s3World } from "./s3-world.ts"

const at = s3World()

describe("a bucket in S3, when its service refuses or fails", () => {
  test.each([
    ["NoSuchBucket", 404, "usage", "no such bucket"],
    ["AccessDenied", 403, "usage", "they need to put, get, list and delete there"],
    ["SomethingNew", 403, "usage", "they need to put, get, list and delete there"],
    ["InvalidAccessKeyId", 403, "usage", "check AWS_ACCESS_KEY_ID"],
    ["SignatureDoesNotMatch", 403, "usage", "check AWS_SECRET_ACCESS_KEY"],
    ["QuotaExceeded", 403, "full", "no room"],
    ["SlowDown", 503, "unavailable", "it asks for less at once"],
    ["InternalError", 500, "unavailable", "it does not answer as S3 does (InternalError)"],
  ])("%s (%d) is %s, in one line: %s", async (code, status, kind, advice) => {
    const bucket = await s3.openS3Bucket(at.place, { within: 10_000, attempts: 1 })
    at.service.answer = (method) => (method === "PUT" ? { status, code } : null)
    const error: unknown = await storeOne(bucket, 0).catch((reason: unknown) => reason)
    await bucket.close()
    if (!isFault(error)) throw new Error("no fault")
    expect(error).toMatchObject({ kind, definite: kind !== "unavailable" })
    expect(error.message).toMatch(/^bucket s3:\/\/clips\/tests\/place-\d+: [^\n]+$/)
    expect(error.message).toContain(advice)
  })

  test("a service that is slow is given up after a while, and one that fails once is asked again", async () => {
    const bucket = await s3.openS3Bucket(at.place, { within: 1_000, attempts: 1 })
    at.service.answer = (method) => (method === "PUT" ? "silence" : null)
    await expect(storeOne(bucket, 0)).rejects.toSatisfy(
      (error) => isFault(error, "unavailable") && !error.definite && /no answer in time/.test(error.message),
    )
    await bucket.close()
    const patient = await s3.openS3Bucket(at.place)
    let asked = 0
    at.service.answer = (method) =>
      method === "PUT" && asked++ === 0 ? { status: 503, code: "SlowDown" } : null
    await storeOne(patient, 1)
    expect(asked).toBe(3)
    await patient.close()
  })

  test("nobody at the endpoint, no bucket, and no credentials are one line each", async () => {
    const away = { ...at.place, endpoint: "http://127.0.0.1:1" }
    await expect(s3.openS3Bucket(away, { within: 10_000, attempts: 1 })).rejects.toThrow(
      /^bucket s3:\/\/\S+: connection refused: is it running\?$/,
    )
    await expect(s3.openS3Bucket({ ...at.place, bucket: "nobodys" })).rejects.toThrow(/no such bucket/)
    const { AWS_ACCESS_KEY_ID: id = "", AWS_SECRET_ACCESS_KEY: secret = "" } = process.env
    delete process.env.AWS_ACCESS_KEY_ID
    Object.assign(process.env, {
      ...{ AWS_EC2_METADATA_DISABLED: "true", AWS_PROFILE: "nobody" },
      ...{ AWS_CONFIG_FILE: at.folder, AWS_SHARED_CREDENTIALS_FILE: at.folder },
    })
    try {
      await expect(s3.openS3Bucket(at.place)).rejects.toThrow(/no credentials; set AWS_ACCESS_KEY_ID/)
    } finally {
      Object.assign(process.env, { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret })
      delete process.env.AWS_PROFILE
    }
  })
})
