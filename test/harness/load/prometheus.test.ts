import { spawnSync } from "node:child_process"
import { request } from "node:http"
import { createServer } from "node:net"
import fc from "fast-check"
import { describe, expect, onTestFinished, test } from "vitest"
import { isFault, messageOf } from "../../../firmware/errors.ts"
import { METRICS, type MetricName, type Readings } from "../../../harness/load/metrics.ts"
import { prometheusOf } from "../../../harness/load/prometheus.ts"
import { servePrometheus } from "../../../harness/load/prometheus-server.ts"
import { anyText } from "../../any-text.ts"
import { mutant } from "../../mutants.ts"
import { READINGS, REPORT, trend } from "./readings.ts"

describe("metrics.prom", () => {
  test("says each metric once, in base units, with its kind and what it is", () => {
    const { families, samples } = readExposition(
      prometheusOf({
        ...READINGS,
        upload_rate: trend(2),
        recovery: { kind: "gauge", value: 3.5 },
        cpu_broker: { kind: "gauge", value: 4.1 },
      }),
    )
    expect(Object.fromEntries(families)).toEqual({
      obscura_receipt_latency_seconds: ["summary", METRICS.receipt_latency.what],
      obscura_recovery_seconds: ["gauge", METRICS.recovery.what],
      obscura_visits_missed_ratio: ["gauge", METRICS.visits_missed.what],
      obscura_clips_recorded_total: ["counter", METRICS.clips_recorded.what],
      obscura_clips_lost_total: ["counter", METRICS.clips_lost.what],
      obscura_upload_rate_bytes_per_second: ["summary", METRICS.upload_rate.what],
      obscura_cpu_broker_seconds_per_gibibyte: ["gauge", METRICS.cpu_broker.what],
      obscura_memory_broker_bytes: ["gauge", METRICS.memory_broker.what],
    })
    const value = (key: string) => samples.get(key)
    expect(value('obscura_receipt_latency_seconds{quantile="0.5"}')).toBeCloseTo(0.05, 4)
    expect(value('obscura_receipt_latency_seconds{quantile="0.99"}')).toBeCloseTo(0.099, 4)
    expect(value("obscura_receipt_latency_seconds_sum")).toBeCloseTo(5.05, 2)
    expect(value("obscura_receipt_latency_seconds_count")).toBe(100)
    expect(value("obscura_memory_broker_bytes")).toBe(99.5 * 1_024 * 1_024)
    expect(value("obscura_visits_missed_ratio")).toBe(0.005)
    expect(value("obscura_recovery_seconds")).toBe(3.5)
    expect(value("obscura_clips_recorded_total")).toBe(120)
    expect(value('obscura_upload_rate_bytes_per_second{quantile="0.5"}')).toBeCloseTo(2_000_000, -4)
  })

  test("of a report says the same, and which run it was and what held", () => {
    const { samples } = readExposition(
      prometheusOf({
        ...REPORT,
        exitCode: 99,
        thresholds: [...REPORT.thresholds, { metric: "clips_lost", expr: "count<0", value: 0, pass: false }],
      }),
    )
    expect(samples.get("obscura_memory_broker_bytes")).toBe(99.5 * 1_024 * 1_024)
    expect(samples.get('obscura_run_info{scenario="steady",seed="42",commit="0123abc"}')).toBe(1)
    expect(samples.get("obscura_run_exit_code")).toBe(99)
    expect(samples.get('obscura_threshold_held{metric="receipt_latency",expr="p(95)<500"}')).toBe(1)
    expect(samples.get('obscura_threshold_held{metric="clips_lost",expr="count<0"}')).toBe(0)
    expect(samples.get('obscura_invariant_breaks{invariant="clips lost"}')).toBe(0)
  })

  test("of a report and of the readings behind it gives the same numbers for every metric", () => {
    const kinds = { trend: trend(1, 2, 3), counter: { kind: "counter", count: 7, seconds: 2 } } as const
    const readings = Object.fromEntries(
      Object.entries(METRICS).map(([name, { kind }]) => [
        name,
        kind === "trend" || kind === "counter"
          ? kinds[kind]
          : kind === "gauge"
            ? { kind, value: 1.5 }
            : { kind, hits: 1, total: 4 },
      ]),
    ) as Readings
    const { families } = readExposition(prometheusOf(readings))
    expect(families.size).toBe(Object.keys(METRICS).length)
    for (const name of Object.keys(METRICS) as MetricName[])
      expect([...families.keys()].some((full) => full.startsWith(`obscura_${name}`))).toBe(true)
  })

  test("of a run that measured nothing is empty", () => {
    expect(prometheusOf({})).toBe("")
    expect(prometheusOf({ alert_latency: trend() })).toBe("")
  })

  test("is well-formed whatever names a report has", () => {
    const text = anyText({ minLength: 1 })
    fc.assert(
      fc.property(text, text, (a, b) => {
        readExposition(
          prometheusOf({
            ...REPORT,
            scenario: a,
            commit: `${b}\\"\n`,
            thresholds: [
              { metric: a, expr: b, value: null, pass: false },
              { metric: a, expr: b, value: null, pass: true },
            ],
            metrics: { ...REPORT.metrics, [a]: 1, clips_lost: { unknown: 3 } },
          }),
        )
      }),
    )
  })

  test("that does not escape its labels is caught", async () => {
    const wrong = await mutant<typeof import("../../../harness/load/prometheus.ts")>(
      "harness/load/prometheus.ts",
      { path: "harness/load/prometheus.ts", from: `.replaceAll('"', '\\\\"')`, to: "" },
    )
    expect(() => readExposition(wrong.prometheusOf({ ...REPORT, scenario: 'a"b' }))).toThrow()
  })

  // promtool comes with the Prometheus server, which is large for one check: CI does not ask for it.
  const promtool = spawnSync("promtool", ["--version"]).status === 0
  test.skipIf(!promtool)("is what promtool calls clean", () => {
    const { status, stderr } = spawnSync("promtool", ["check", "metrics"], { input: prometheusOf(REPORT) })
    expect([status, String(stderr)]).toEqual([0, ""])
  })
})

describe("/metrics", () => {
  test("serves what is true now, on this machine alone", async () => {
    let text = "a 1\n"
    const page = await serve(() => text)
    expect(page.url).toBe(`http://127.0.0.1:${page.port}/metrics`)
    expect(await get(page.port, "/metrics")).toMatchObject({
      status: 200,
      type: "text/plain; version=0.0.4; charset=utf-8",
      body: "a 1\n",
    })
    text = "a 2\n"
    expect((await get(page.port, "/metrics?x=1")).body).toBe("a 2\n")
  })

  test("has nothing else, and takes nothing", async () => {
    const page = await serve(() => "a 1\n")
    expect((await get(page.port, "/")).status).toBe(404)
    expect((await get(page.port, "/metrics/../etc/passwd")).status).toBe(404)
    expect((await get(page.port, "/metrics", "POST")).status).toBe(405)
    expect(await get(page.port, "/metrics", "HEAD")).toMatchObject({ status: 200, body: "" })
  })

  test("that cannot be drawn is an error of that request, and the next one is answered", async () => {
    let broken = true
    const page = await serve(() => {
      if (broken) throw new Error("not yet\nmore")
      return "a 1\n"
    })
    expect(await get(page.port, "/metrics")).toMatchObject({ status: 500, body: "not yet\n" })
    broken = false
    expect((await get(page.port, "/metrics")).status).toBe(200)
  })

  test("on a port that is taken is refused in one line", async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve))
    onTestFinished(() => void other.close())
    const address = other.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    const refused: unknown = await servePrometheus(port, () => "").catch((error: unknown) => error)
    expect(isFault(refused, "usage")).toBe(true)
    expect(messageOf(refused)).toBe(
      `127.0.0.1:${port} is taken; stop what listens there or choose another --prometheus port`,
    )
  })

  test("gives its port back, also from under an open connection, and closes twice as well as once", async () => {
    const page = await serve(() => "a 1\n")
    await get(page.port, "/metrics")
    await Promise.all([page.close(), page.close()])
    const again = await servePrometheus(page.port, () => "")
    await again.close()
  })
})

async function serve(text: () => string) {
  const page = await servePrometheus(0, text)
  onTestFinished(() => page.close())
  return page
}

function get(port: number, path: string, method = "GET") {
  return new Promise<{ status: number | undefined; type: string | undefined; body: string }>(
    (resolve, reject) => {
      const call = request({ host: "127.0.0.1", port, path, method }, (response) => {
        let body = ""
        response.on("data", (bytes) => (body += String(bytes)))
        response.on("end", () =>
          resolve({ status: response.statusCode, type: response.headers["content-type"], body }),
        )
      })
      call.on("error", reject).end()
    },
  )
}

/** Text format 0.0.4, read strictly: a family's HELP and TYPE before its samples, its samples together, nothing twice. */
function readExposition(text: string) {
  const families = new Map<string, readonly [type: string, help: string]>()
  const samples = new Map<string, number>()
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line does not end")
  let help: readonly [string, string] | null = null
  let current = { name: "", type: "" }
  for (const line of text.split("\n").slice(0, -1)) {
    const comment = /^# (HELP|TYPE) ([a-z_]+) (.+)$/su.exec(line)
    if (comment?.[1] === "HELP") {
      help = [comment[2] ?? "", comment[3] ?? ""]
      continue
    }
    if (comment) {
      const [, , name = "", type = ""] = comment
      if (help?.[0] !== name || families.has(name) || !/^(counter|gauge|summary)$/.test(type))
        throw new Error(`out of place: ${line}`)
      families.set(name, [type, help[1]])
      current = { name, type }
      continue
    }
    const match =
      /^([a-z_]+)(\{(?:[a-z]+="(?:[^"\\]|\\[\\"n])*",?)+\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|NaN|[+-]Inf)$/su.exec(
        line,
      )
    if (match === null) throw new Error(`no sample: ${line}`)
    const [, name = "", labels = "", value = ""] = match
    const suffixes = current.type === "summary" ? ["", "_sum", "_count"] : [""]
    if (!suffixes.some((suffix) => name === current.name + suffix)) throw new Error(`in no family: ${line}`)
    if (samples.has(name + labels)) throw new Error(`twice: ${line}`)
    samples.set(name + labels, Number(value))
  }
  return { families, samples }
}
