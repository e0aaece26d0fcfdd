import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { readBucket } from "../../../harness/cloud/bucket.ts"
import { readReport } from "../../../harness/load/report.ts"
import { obscura } from "../run-obscura.ts"

/** A fleet that several guests look at while it records, judged as any other. */

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "obscura-live-fleet-"))
})
afterAll(() => rm(home, { recursive: true, force: true }))

test("guests look at several cameras at once: pictures come, everything is recorded, and each look is in the chain", async () => {
  const live = '{"cameras":2,"viewers":3,"at":2,"seconds":6}'
  const args = [
    "--no-insiders",
    "--cameras",
    "3",
    "--seconds",
    "10",
    "--seed",
    "7",
    "--set",
    `live=${live}`,
    "--out",
    "run",
  ]
  const { code, output } = await obscura(home, "fleet", ...args)
  expect(output).toMatch(/live +\d+ pictures, .* lens to viewer/)
  expect(code).toBe(0)
  const report = await readReport(join(home, "run", "report.json"))
  expect(report.failures).toEqual([])
  expect(report.clips.delivered).toBeGreaterThan(0)
  expect(report.live?.pictures).toBeGreaterThan(200)
  expect(report.live?.p95Ms).toBeGreaterThan(0)
  expect(report.metrics).toHaveProperty("live_latency")
  const bucket = await readBucket(join(home, "run", "bucket"))
  const kinds: string[] = []
  for (const device of bucket.devices())
    for (const stored of bucket.manifests(device)) {
      const envelope = JSON.parse(Buffer.from(await bucket.envelopeBytes(stored)).toString())
      const { entries } = JSON.parse(Buffer.from(envelope.payload, "base64").toString())
      for (const { kind, cause } of entries)
        if (kind.startsWith("live")) kinds.push(cause ? `${kind}: ${cause}` : kind)
    }
  expect(kinds.filter((kind) => kind === "live")).toHaveLength(6)
  expect(kinds.filter((kind) => kind === "live end: left")).toHaveLength(6)
}, 60_000)
