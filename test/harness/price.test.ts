import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { payloadBytesOf } from "../../firmware/delivery/age-payload.ts"
import { KiB, MiB } from "../../firmware/units.ts"
import { compareSizes } from "../../harness/price/compare.ts"
import { costLine, costOf } from "../../harness/price/cost-line.ts"
import { onPi } from "../../harness/price/estimate.ts"
import type { Round, Sample } from "../../harness/price/measure.ts"
import { Model, segmentAt } from "../../harness/price/model.ts"
import { type PriceReport, priceShape } from "../../harness/price/report.ts"
import { plaintextBytesOf } from "../../harness/price/sealed-fleet-work.ts"
import { priceTables, priceText } from "../../harness/price/table.ts"
import { root } from "../support.ts"
import { obscura } from "./run-obscura.ts"

describe("obscura price", () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "obscura-price-test-"))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test("runs all four fleets, and when it was quick says so wherever it gives a number, and judges nothing", async () => {
    const out = join(folder, "price.html")
    const words = ["--quick", "--json", "--object-size", "250", "--out", out]
    const { code, stdout, stderr } = await obscura(root, "price", ...words)
    expect(code, stderr).toBe(0)
    const report = priceShape.parse(JSON.parse(stdout))
    const [size] = report.sizes
    expect(report.sizes).toHaveLength(1)
    expect(size?.objectBytes).toBe(224 * KiB)
    expect(size?.variants.map(({ name }) => name)).toEqual(["plain", "TLS", "sealing", "TLS + sealing"])
    for (const { cpuSecondsPerGB, peakMiB } of size?.variants ?? []) {
      expect(cpuSecondsPerGB.cameras).toBeGreaterThan(0)
      expect(cpuSecondsPerGB.broker).toBeGreaterThan(0)
      expect(peakMiB.cameras).toBeGreaterThan(0)
    }
    // What sealing adds to an object is known to the byte.
    expect(size?.bytesPerObject.ageHeader).toBe(168)
    expect(size?.bytesPerObject.streamNonceAndTags).toBe(payloadBytesOf(224 * KiB) - 224 * KiB)
    expect(report.targets.map(({ name, reach }) => [name, reach])).toEqual([["sealing-250KB", 2.7]])
    expect(report.targets.map(({ pass }) => pass)).toEqual([null])
    expect(report.sentence).toMatch(/^Tried in a single quick round, not measured: while a camera records/)
    const page = await readFile(out, "utf8")
    expect(page).toContain("<svg")
    expect(page.indexOf("the numbers of a single quick round")).toBeLessThan(page.indexOf("<svg"))
    expect(page).toContain("not judged")
    expect(page).not.toMatch(/MISSED|>reached|median/)
    expect(page).toContain(report.sentence.replaceAll('"', "&quot;"))
    expect(page).not.toMatch(/<(?:script|link|img)|url\(|https?:\/\/(?!www\.w3\.org\/2000\/svg)/)
    expect(report.sentence).toMatch(/sealing costs .* % of a core .* estimated .* cents per camera-month/)
  }, 180_000)

  test.each([
    [["--out", "price.pdf"], "ends in .svg or .html"],
    [["--out", "/nowhere/at/all.svg"], "cannot be written"],
    [["--object-size", "20"], "from 150 to 1000"],
    [["--bitrate", "0"], "above 0"],
    [["--vcpu-hour", "free"], "above 0"],
    [["--rounds", "0"], "from 1 to 100"],
  ])("refuses %j before anything is measured", async (args, why) => {
    const { code, stderr } = await obscura(root, "price", ...args)
    expect(code).toBe(2)
    expect(stderr).toContain(why)
    expect(stderr).not.toContain("round 1")
  })
})

describe("what is worked out from what was measured", () => {
  test("plaintext is told from an age payload's size, at every chunk edge and elsewhere", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 * MiB }),
        (bytes) => plaintextBytesOf(payloadBytesOf(bytes)) === bytes,
      ),
    )
    for (const bytes of [65_535, 65_536, 65_537, 131_072])
      expect(plaintextBytesOf(payloadBytesOf(bytes))).toBe(bytes)
  })

  test("a line through two sizes tells an object from its bytes; one size, or noise, never gives less than nothing", () => {
    const line = costLine([
      { bytes: 100, seconds: 3 },
      { bytes: 300, seconds: 5 },
    ])
    expect(line.perObject).toBeCloseTo(2)
    expect(costOf(line, 200)).toBeCloseTo(4)
    expect(costOf(costLine([{ bytes: 100, seconds: 3 }]), 200)).toBeCloseTo(6)
    const point = fc.record({
      bytes: fc.integer({ min: 1, max: MiB }),
      seconds: fc.double({ min: -1, max: 1, noNaN: true }),
    })
    fc.assert(
      fc.property(
        fc.array(point, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 0, max: MiB }),
        (points, bytes) => {
          expect(costOf(costLine(points), bytes)).toBeGreaterThanOrEqual(0)
        },
      ),
    )
  })

  test("on a Pi the cipher runs at its published speed and the rest slower than here", () => {
    const model = { name: "Pi", cipherBytesPerSecond: 100, timesSlower: 10 }
    expect(onPi(model, { seconds: 3, cipherBytesPerSecond: 1_000 }, 1_000)).toBeCloseTo(10 + 20)
    expect(onPi(model, { seconds: 0.5, cipherBytesPerSecond: 1_000 }, 1_000)).toBeCloseTo(10)
  })

  test("a camera's objects are as long as its configuration pads them", () => {
    expect(segmentAt(2e6)).toEqual({ media: 250_000, padded: 320 * KiB, every: 1 })
  })

  test("what is added is the median of differences within rounds, and a minute and a month follow from it", () => {
    // Rounds on a machine that gets slower: plain and sealing differ by 2 at the cameras and 1 at the broker in each.
    const rounds = [1, 5, 9].map((slow) => round(slow, 2, 1))
    const size = compareSizes(256 * KiB, rounds)
    const sealing = size.added.find(({ name }) => name === "sealing")
    expect(sealing?.cpuSecondsPerGB.cameras).toBeCloseTo(2)
    expect(sealing?.cpuSecondsPerGB.broker).toBeCloseTo(1)
    expect(sealing?.latencyMs.p50).toBeCloseTo(3)
    expect(size.bytesPerObject).toMatchObject({ ageHeader: 168, streamNonceAndTags: 80 })

    const model = new Model([size], 1e9)
    const minute = model.clipMinute(2e6).find(({ name }) => name === "sealing")
    const gigabytes = (60 * 320 * KiB) / 2 ** 30
    expect(minute?.camerasMs).toBeCloseTo(2_000 * gigabytes)
    const use = { cameras: 1_000, minutesPerDay: 60, bitsPerSecond: 2e6 }
    const month = model.month(use, { dollarsPerVcpuHour: 3_600, dollarsPerGBMonth: 1 })
    const line = month.find(({ name }) => name === "sealing")
    expect(line?.vcpuHours).toBeCloseTo((gigabytes * 1_000 * 60 * 30) / 3_600)
    expect(line?.dollars).toBeCloseTo((line?.vcpuHours ?? 0) * 3_600 + (line?.gigabytes ?? 0))
    expect(month.find(({ name }) => name === "TLS")?.gigabytes).toBe(0)
  })

  test("a row that misses its reach is marked, and that of a quick run is not judged", () => {
    const quick = { ...reportWith(null), quick: true }
    expect(priceText(quick)).toMatch(/^These are the numbers of a single quick round: .* judge no target/)
    expect(priceText(quick)).toMatch(/sealing-250KB.* not judged\n/)
    expect(priceText(reportWith(false))).not.toContain("quick")
    const tables = priceTables(reportWith(false))
    expect(tables.find(({ title }) => title.startsWith("What sealing adds"))?.rows[1]?.at(-1)).toBe("MISSED")
    expect(tables.some(({ rows }) => rows[0]?.some((cell) => cell.includes("estimate")))).toBe(true)
  })

  function reportWith(pass: boolean | null): PriceReport {
    const target = { name: "sealing-250KB", sealing: 3, tls: 1, reach: 2.7, samples: 5, pass }
    const size = compareSizes(224 * KiB, [round(1, 3, 0)])
    const model = new Model([size], 1e9)
    const use = { cameras: 1_000, minutesPerDay: 60, bitsPerSecond: 2_000_000 }
    const prices = { dollarsPerVcpuHour: 0.04, dollarsPerGBMonth: 0.023 }
    return {
      ...{ schema: "obscura.price.v1", machine: "m", quick: false, cameras: 1, rounds: 1, sentence: "s" },
      ...{ sizes: [size], targets: [target], sources: ["estimates"], shares: [...model.shares()] },
      clipMinute: { bitsPerSecond: 2_000_000, lines: [...model.clipMinute(2e6)] },
      month: { ...use, ...prices, lines: [...model.month(use, prices)] },
    }
  }
})

/** One GB in 4,096 objects of 256 KiB; `slow` is what everything costs besides. */
function round(slow: number, camerasAdd: number, brokerAdd: number): Round {
  const sample = (cameras: number, broker: number, sealed: boolean): Sample => ({
    busy: {
      ...{ bytes: 2 ** 30, objects: 4_096, manifests: 4_096, length: 10, latencies: [] },
      ...{ sealedBytes: 2 ** 30 + 4_096 * (sealed ? 248 : 1), paddingBytes: 0, manifestBytes: 4_096 * 1_000 },
      ...{ cameras: slow + cameras, broker: slow + broker },
    },
    latency: { p50: slow + cameras + broker, p95: slow },
    peak: { cameras: 100 * MiB, broker: 100 * MiB },
  })
  return {
    plain: sample(0, 0, false),
    TLS: sample(0.5, 0.5, false),
    sealing: sample(camerasAdd, brokerAdd, true),
    "TLS + sealing": sample(camerasAdd + 0.5, brokerAdd + 0.5, true),
    alone: { sealing: 1e-4, signing: 1e-5, cipherBytesPerSecond: 1e9 },
  }
}
