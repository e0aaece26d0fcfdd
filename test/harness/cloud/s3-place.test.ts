import { describe, expect, test } from "vitest"
import { parseS3Place } from "../../../harness/cloud/s3-place.ts"

describe("s3://bucket/prefix", () => {
  test.each([
    ["s3://clips", { bucket: "clips", prefix: "" }],
    ["s3://clips/", { bucket: "clips", prefix: "" }],
    ["s3://my.clips/a/b-c", { bucket: "my.clips", prefix: "a/b-c/" }],
    ["s3://clips/a/", { bucket: "clips", prefix: "a/" }],
  ])("%s", (text, parsed) => {
    expect(parseS3Place(text, null)).toEqual({ ...parsed, endpoint: null })
  })

  test.each([
    "clips",
    "s3://",
    "s3://UP",
    "s3://clips//x",
    "s3://clips/../x",
    "s3://clips/a b",
    "http://clips",
  ])("%s is none", (text) => {
    expect(() => parseS3Place(text, null)).toThrow(/^--bucket .*: it looks like s3:\/\/bucket\/prefix/)
  })

  test.each([
    ["ftp://x", "it looks like https://host:9000"],
    ["nothing", "it looks like https://host:9000"],
    ["http://example.org", "plain http:// is for this machine alone; use https://example.org"],
    ["https://a:b@example.org", "no user and password"],
    ["https://example.org/bucket", "bucket and prefix go into --bucket"],
  ])("endpoint %s: %s", (endpoint, advice) => {
    expect(() => parseS3Place("s3://clips", endpoint)).toThrow(advice)
  })
})
