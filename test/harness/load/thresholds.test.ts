import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { isFault, messageOf } from "../../../firmware/errors.ts"
import { AbortWatch } from "../../../harness/load/abort-watch.ts"
import { metricsOf } from "../../../harness/load/aggregation.ts"
import { METRIC_NAMES, METRICS, type MetricName, type Readings } from "../../../harness/load/metrics.ts"
import { reportShape } from "../../../harness/load/report.ts"
import { judgeThresholds, parseThresholds } from "../../../harness/load/thresholds.ts"
import { anyText } from "../../any-text.ts"
import { mutant } from "../../mutants.ts"
import { READINGS, REPORT, trend } from "./readings.ts"

function refusalOf(input: Record<string, string | string[]>): string {
  try {
    parseThresholds(input)
  } catch (error) {
    expect(isFault(error, "usage")).toBe(true)
    return messageOf(error)
  }
  return "accepted"
}

function judged(metric: MetricName, expr: string, readings: Readings = READINGS) {
  return judgeThresholds(parseThresholds({ [metric]: expr }), readings)[0]
}

describe("a threshold", () => {
  test.each([
    ["receipt_latency", "p(95)<500", 95.039, true],
    ["receipt_latency", " p(99.9) <= 100 ", 100, true],
    ["receipt_latency", "p( 50 )>50", 50.015, true],
    ["receipt_latency", "avg<50", 50.504, false],
    ["receipt_latency", "med >= 51", 50.015, false],
    ["receipt_latency", "min==1", 1, true],
    ["receipt_latency", "max===100", 100, true],
    ["clips_recorded", "count>=120", 120, true],
    ["clips_recorded", "rate>2.5", 2, false],
    ["clips_lost", "count==0", 0, true],
    ["clips_lost", "count!=0", 0, false],
    ["memory_broker", "value<100", 99.5, true],
    ["visits_missed", "rate<=0.005", 0.005, true],
    ["visits_missed", "rate==0", 0.005, false],
  ] as const)("on %s, %s, is judged in the metric's unit", (metric, expr, value, pass) => {
    const result = judged(metric, expr)
    expect(result).toMatchObject({ metric, expr: expr.trim(), pass })
    expect(result?.value).toBeCloseTo(value, 2)
  })

  test("holds a little over nothing against zero: what is compared is never rounded", () => {
    const readings: Readings = { visits_missed: { kind: "rate", hits: 1, total: 10_000_000 } }
    expect(judged("visits_missed", "rate==0", readings)).toMatchObject({ pass: false, value: 1e-7 })
  })

  test.each(["==", "!=", "<", ">="])("on a metric that never fired fails, with %s too", (operator) => {
    const silent: Readings[] = [
      {},
      { visits_missed: { kind: "rate", hits: 0, total: 0 }, alert_latency: trend() },
      { memory_broker: { kind: "gauge", value: Number.NaN } },
    ]
    const thresholds = parseThresholds({
      visits_missed: `rate${operator}0`,
      alert_latency: `max${operator}0`,
      memory_broker: `value${operator}0`,
    })
    for (const readings of silent)
      for (const result of judgeThresholds(thresholds, readings))
        expect(result).toMatchObject({ value: null, pass: false })
  })

  test("may be one of several on its metric, each with a result of its own, in order", () => {
    const thresholds = parseThresholds({ receipt_latency: ["med<10", "p(99)<500"], clips_lost: "count==0" })
    expect(judgeThresholds(thresholds, READINGS).map(({ pass }) => pass)).toEqual([false, true, true])
  })

  test.each([
    [{ recipt_latency: "p(95)<5" }, 'there is no metric "recipt_latency"; did you mean receipt_latency?'],
    [{ zzzzzzzzzzzzzz: "p(95)<5" }, "there are alert_latency, receipt_latency"],
    [{ toString: "p(95)<5" }, 'there is no metric "toString"'],
    [JSON.parse('{"__proto__": "p(95)<5"}'), 'there is no metric "__proto__"'],
    [{ "a\nb": "p(95)<5" }, String.raw`there is no metric "a\nb"`],
    [{ receipt_latency: "count<5" }, 'a trend has no "count"; it has avg, min, max, med, p(N)'],
    [{ receipt_latency: "p95<5" }, 'a trend has no "p95"; it has'],
    [{ receipt_latency: "p<5" }, 'a trend has no "p"; it has'],
    [{ clips_lost: "p(95)<5" }, 'a counter has no "p(N)"; it has count, rate'],
    [{ memory_broker: "max<5" }, 'a gauge has no "max"; it has value'],
    [{ visits_missed: "value<1" }, 'a rate has no "value"; it has rate'],
    [{ visits_missed: "rate<5" }, "give a number from 0 to 1"],
    [{ receipt_latency: "p(101)<5" }, "N in p(N) is from 0 to 100"],
    [{ receipt_latency: "p(95)<500ms" }, "one looks like p(95)<500, a plain number in ms"],
    [{ receipt_latency: "p(95)<-1" }, "is no threshold"],
    [{ receipt_latency: "p(95)<1e3" }, "is no threshold"],
    [{ receipt_latency: "p(95)<NaN" }, "is no threshold"],
    [{ receipt_latency: "p(95)=5" }, "is no threshold"],
    [{ receipt_latency: "p(95)<5 || true" }, "is no threshold"],
    [{ receipt_latency: "" }, "is no threshold"],
    [{ receipt_latency: "p(95)<\n5" }, "is no threshold"],
    [{ receipt_latency: `p(95)<${"5".repeat(400)}` }, "is no threshold"],
    [{ clips_lost: "count" }, "one looks like count<10"],
    [{ clips_lost: [] }, "has 0 expressions"],
    [{ clips_lost: Array.from({ length: 21 }, () => "count<1") }, "has 21 expressions"],
  ] as const)("written as %j is refused in one line: %s", (input, why) => {
    const refusal = refusalOf(input)
    expect(refusal).toContain(why)
    expect(refusal.split("\n")).toHaveLength(1)
  })

  test("whatever is written is parsed as it says, or refused in one line that is not long", () => {
    const word = fc.constantFrom(
      "avg",
      "min",
      "p(",
      "95",
      ")",
      "<",
      "<=",
      "===",
      "!",
      " ",
      "1.5",
      "e9",
      "-",
      "\n",
    )
    const text = fc.oneof(
      anyText(),
      fc.array(word).map((words) => words.join("")),
    )
    const name = fc.oneof(fc.constantFrom(...METRIC_NAMES), anyText())
    fc.assert(
      fc.property(fc.dictionary(name, fc.oneof(text, fc.array(text))), (input) => {
        const refusal = refusalOf(input)
        if (refusal !== "accepted") {
          expect(refusal).not.toMatch(/[\n\r]/)
          expect(refusal.length).toBeLessThan(600)
        }
      }),
    )
  })

  test("that fits its metric is read back as it was meant", () => {
    const number = fc.tuple(fc.nat(999_999), fc.constantFrom("", ".5", ".125")).map((parts) => parts.join(""))
    const operator = fc.constantFrom("<", "<=", ">", ">=", "==", "===", "!=")
    const space = fc.constantFrom("", " ", "   ")
    fc.assert(
      fc.property(operator, number, space, fc.nat(100), (sign, digits, gap, percentile) => {
        const expr = `${gap}p(${percentile})${gap}${sign}${gap}${digits}${gap}`
        expect(parseThresholds({ receipt_latency: expr })).toEqual([
          {
            metric: "receipt_latency",
            expr: expr.trim(),
            aggregation: { method: "p", percentile },
            operator: sign,
            bound: Number(digits),
          },
        ])
      }),
    )
  })

  test("meets a reading of another kind as a mistake of ours", () => {
    const wrong: Readings = { receipt_latency: { kind: "gauge", value: 1 } }
    expect(() => judged("receipt_latency", "p(95)<5", wrong)).toThrow(/is a trend, and was read as a gauge/)
  })
})

test("a judge that lets what never fired pass is caught", async () => {
  const wrong = await mutant<typeof import("../../../harness/load/thresholds.ts")>(
    "harness/load/thresholds.ts",
    {
      path: "harness/load/thresholds.ts",
      from: "pass: value !== null && HOLDS[operator](value, bound)",
      to: "pass: value === null || HOLDS[operator](value, bound)",
    },
  )
  const silent = (module: Pick<typeof wrong, "judgeThresholds" | "parseThresholds">) =>
    module.judgeThresholds(module.parseThresholds({ alert_latency: "max<5" }), {})[0]?.pass
  expect([silent({ judgeThresholds, parseThresholds }), silent(wrong)]).toEqual([false, true])
})

describe("the metrics of a report", () => {
  test("hold what fired, each by its kind, and fit report.json", () => {
    const metrics = metricsOf({ ...READINGS, alert_latency: trend(), upload_rate: trend(0, 0, 5) })
    expect(Object.keys(metrics)).toEqual(
      METRIC_NAMES.filter((name) => name === "upload_rate" || name in READINGS),
    )
    expect(metrics.receipt_latency).toMatchObject({ min: 1, max: 100, count: 100 })
    expect(Object.keys(Object(metrics.receipt_latency)).sort()).toEqual([
      "avg",
      "count",
      "max",
      "med",
      "min",
      "p90",
      "p95",
      "p99",
    ])
    expect(metrics.upload_rate).toMatchObject({ min: 0, med: 0, max: 5, count: 3 })
    expect(metrics.clips_recorded).toEqual({ count: 120, rate: 2 })
    expect([metrics.memory_broker, metrics.visits_missed]).toEqual([99.5, 0.005])
    expect(reportShape.safeParse({ ...REPORT, metrics }).success).toBe(true)
  })

  test("hold no number that JSON cannot: a rate over no time, a part of nothing", () => {
    const metrics = metricsOf({
      clips_recorded: { kind: "counter", count: 3, seconds: 0 },
      cameras_up: { kind: "rate", hits: 0, total: 0 },
      recovery: { kind: "gauge", value: Number.POSITIVE_INFINITY },
    })
    expect(metrics).toEqual({ clips_recorded: { count: 3 } })
  })
})

describe("the watch that ends a hopeless run", () => {
  const GRACE = 10_000
  const lost = (count: number): Readings => ({ clips_lost: { kind: "counter", count, seconds: 1 } })

  test("ends it after the grace time, not before, once what cannot come back has failed", () => {
    const watch = new AbortWatch(parseThresholds({ clips_lost: "count==0" }), GRACE)
    expect(watch.look(lost(0), 1_000)).toBeNull()
    expect(watch.look(lost(1), 9_999)).toBeNull()
    expect(watch.look(lost(1), 10_000)).toMatchObject({ metric: "clips_lost", value: 1, pass: false })
  })

  test("lets a percentile come back, and ends it once that has failed for as long as the grace time", () => {
    const watch = new AbortWatch(parseThresholds({ receipt_latency: "p(95)<50" }), GRACE)
    const slow: Readings = { receipt_latency: trend(100) }
    expect(watch.look(slow, 8_000)).toBeNull()
    expect(watch.look(slow, 17_000)).toBeNull()
    expect(watch.look({ receipt_latency: trend(10) }, 17_500)).toBeNull()
    expect(watch.look(slow, 20_000)).toBeNull()
    expect(watch.look(slow, 29_999)).toBeNull()
    expect(watch.look(slow, 30_000)).toMatchObject({ metric: "receipt_latency", pass: false })
  })

  test.each([
    ["clips_lost", "count<5", true],
    ["receipt_latency", "max<5", true],
    ["receipt_latency", "min>5", true],
    ["receipt_latency", "avg<=5", true],
    ["visits_missed", "rate==0", true],
    ["cameras_up", "rate>=1", true],
    ["clips_recorded", "count>=100", false],
    ["clips_recorded", "rate<5", false],
    ["clips_recorded", "rate==0", false],
    ["upload_rate", "med>5", false],
    ["memory_broker", "value<5", false],
    ["visits_missed", "rate<0.1", false],
    ["clips_lost", "count!=3", false],
  ] as const)("on %s, %s: watched %s", (metric, expr, watched) => {
    expect(new AbortWatch(parseThresholds({ [metric]: expr }), GRACE).watched).toHaveLength(watched ? 1 : 0)
  })

  test("waits for a metric that has not fired, and for a count that is still below what it must equal", () => {
    const watch = new AbortWatch(parseThresholds({ clips_lost: "count==3", alert_latency: "max<5" }), GRACE)
    expect(watch.look(lost(2), 60_000)).toBeNull()
    expect(watch.look(lost(4), 61_000)).toMatchObject({ value: 4 })
  })

  test("never ends a run whose final readings hold all thresholds that cannot come back", () => {
    const growing = fc.array(fc.nat(3), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(growing, fc.nat(40), fc.constantFrom("<", "<=", "=="), (steps, bound, operator) => {
        const thresholds = parseThresholds({ clips_lost: `count${operator}${bound}` })
        const watch = new AbortWatch(thresholds, 0)
        let count = 0
        const ended = steps.map((step, at) => {
          count += step
          return watch.look(lost(count), at) !== null
        })
        const holds = judgeThresholds(thresholds, lost(count))[0]?.pass
        if (holds) expect(ended).not.toContain(true)
      }),
    )
  })
})

test("every metric has an example of a threshold that fits it", () => {
  const fitting = { trend: "p(95)<1", counter: "count<1", gauge: "value<1", rate: "rate<1" }
  for (const name of METRIC_NAMES)
    expect(parseThresholds({ [name]: fitting[METRICS[name].kind] })).toHaveLength(1)
})
