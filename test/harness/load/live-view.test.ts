import { stripVTControlCharacters } from "node:util"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { type LiveMoment, type LiveRun, LiveView } from "../../../harness/load/live-view.ts"
import type { CameraProgress } from "../../../harness/load/messages.ts"
import { meter, sparkline } from "../../../harness/load/meter.ts"
import { type Output, Screen } from "../../../harness/load/screen.ts"
import type { Strike } from "../../../harness/scenario/strikes.ts"
import { mutant } from "../../mutants.ts"

const CUT: Strike = {
  fault: { kind: "power-cut", at: 20, for: 5, share: 0.4, torn: 0.5 },
  cameras: [0, 1, 2, 3],
}
const KILL: Strike = { fault: { kind: "broker-kill", at: 40, for: 3 }, cameras: null }
const JUMP: Strike = { fault: { kind: "clock-jump", at: 50, share: 1, seconds: 9 }, cameras: [7] }
const RUN: LiveRun = { cameras: 10, seconds: 60, strikes: [CUT, KILL, JUMP] }

const WORKER: CameraProgress = {
  ...{ connected: 5, recorded: 1_234, discarded: 2, sealed: 90, uploaded: 80, received: 70, waiting: 20 },
  ...{ connects: 5, dials: 5, disconnects: 0, memoryMiB: 100, lagMs: 12 },
  usage: { cpuSeconds: 1, memoryMiB: 100, share: null },
  ...{ receiptP50Ms: 5, receiptP95Ms: 40, alertP95Ms: null },
  times: { receipt: "", alert: "", connect: "", backOff: "", lag: "" },
}
const MOMENT: LiveMoment = {
  ...{ passed: 10, quiet: false, workers: [WORKER, WORKER], bytes: 20e6, thresholds: [] },
}

function shown(moment: Partial<LiveMoment>, columns = 79, rows = 23, run = RUN): string {
  const view = new LiveView(run)
  view.look({ ...MOMENT, ...moment })
  return view
    .block(columns, rows)
    .map(({ text }) => text)
    .join("\n")
}

describe("the live view", () => {
  test("says how far the run is, who is connected, and what waits", () => {
    const text = shown({})
    expect(text).toContain("10 s of 60 s")
    expect(text).toContain("10 of 10 connected")
    expect(text).toContain("2,468 recorded, 4 discarded")
    expect(text).toContain("180 sealed, 160 uploaded, 140 received, 40 waiting")
    expect(text).toContain("2.0 MB/s")
    expect(text).toContain("p95 40 ms")
  })

  test("warns of a machine that is too slow, and of no other", () => {
    expect(shown({ workers: [{ ...WORKER, lagMs: 101 }] })).toContain("101 ms: this machine is too small")
    expect(shown({ workers: [{ ...WORKER, lagMs: 100 }] })).not.toContain("too small")
  })

  test.each([
    [10, false, "none now, power-cut in 10 s"],
    [20, false, "power-cut on 4 cameras, 5 s more"],
    [25, false, "none now, broker-kill in 15 s"],
    [41, false, "broker-kill, 2 s more"],
    [51, false, "clock-jump on 1 camera"],
    [55, false, "all over"],
    [22, true, "all over"],
    [70, false, "all over"],
  ])("at %i s (all quiet: %s) says of faults: %s", (passed, quiet, words) => {
    expect(shown({ passed, quiet })).toContain(words)
  })

  test("says of a run without faults that there are none", () => {
    expect(shown({}, 79, 23, { ...RUN, strikes: [] })).toContain("none")
  })

  test("names the thresholds that do not hold so far, and counts the others", () => {
    const text = shown({
      thresholds: [
        { metric: "receipt_latency", expr: "p(95)<5", value: 40.123456, pass: false },
        { metric: "backoff", expr: "p(50)>500", value: 900, pass: true },
        { metric: "recovery", expr: "value<60", value: null, pass: false },
      ],
    })
    expect(text).toContain("thresholds: 1 holds, 1 does not, 1 not known yet")
    expect(text).toContain("receipt_latency p(95)<5 does not hold: it is 40.12")
    expect(text).not.toContain("recovery")
  })

  test("keeps a minute of what reached the bucket, the newest at the right", () => {
    const view = new LiveView(RUN)
    for (let second = 1; second <= 100; second++)
      view.look({ ...MOMENT, passed: second, bytes: second * 1e6 + (second === 100 ? 1e6 : 0) })
    const line = view.block(200, 23).find(({ text }) => text.includes("bucket"))?.text ?? ""
    expect(line).toContain(`${"▅".repeat(59)}█  2.0 MB/s`)
  })

  test("has as many lines and columns as there is room for", () => {
    const failing = Array.from({ length: 20 }, () => ({
      ...{ metric: "receipt_latency", expr: "p(95)<1", value: 40, pass: false },
    }))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 60 }), (columns, rows) => {
        const out = terminal(columns, rows)
        const screen = new Screen(out)
        const view = new LiveView(RUN)
        view.look({ ...MOMENT, thresholds: failing })
        view.draw(screen)
        const lines = out.text().split("\n").slice(0, -1)
        expect(lines.length).toBeLessThanOrEqual(Math.max(2, rows - 1))
        for (const line of lines) expect(line.length).toBeLessThan(Math.max(21, columns))
      }),
    )
  })

  test("is one line where there is no terminal", () => {
    const out = terminal(0, 0, false)
    const view = new LiveView(RUN)
    view.look(MOMENT)
    view.draw(new Screen(out))
    expect(out.text()).toBe(
      "10 s of 60 s: 10/10 connected, clips: 2,468 recorded, objects: 180 sealed, 160 uploaded, 140 received, " +
        "2.0 MB/s, lag 12 ms\n",
    )
  })
})

describe("the screen", () => {
  test("draws a block over the one before, and a line that stays above it", () => {
    const out = terminal(80, 24)
    const screen = new Screen(out)
    screen.show(["one", "two"], "")
    screen.say("kept")
    screen.nextPhase()
    screen.show(["three"], "")
    screen.nextPhase()
    expect(out.raw()).toBe("one\ntwo\n\u001b[2A\u001b[Jkept\nthree\n\u001b[1A\u001b[J")
  })

  test("takes away what a terminal that became narrower has wrapped", () => {
    const out = terminal(80, 24)
    const screen = new Screen(out)
    screen.show(["x".repeat(75), "y"], "")
    out.columns = 40
    screen.nextPhase()
    expect(out.raw()).toContain("\u001b[3A\u001b[J")
  })

  test("has colours only where the terminal has", () => {
    const line = { text: "careful", tone: "warning" } as const
    const [plain, colourful] = [terminal(80, 24), terminal(80, 24)]
    colourful.hasColors = () => true
    new Screen(plain).show([line], "")
    new Screen(colourful).show([line], "")
    expect([plain.raw(), colourful.raw()]).toEqual(["careful\n", "\u001b[33mcareful\u001b[0m\n"])
  })

  const HOSTILE = "\u001b]0;mine\u0007\u001b[2Jname\r\n\u009b31m"

  test("is steered by no text that it shows", () => {
    const out = terminal(80, 24)
    new Screen(out).show([HOSTILE], "")
    expect(out.raw()).not.toMatch(/[^\P{Cc}\n]/u)
  })

  test("that lets text through as it comes fails that", async () => {
    const careless = await mutant<typeof import("../../../harness/load/screen.ts")>(
      "harness/load/screen.ts",
      {
        path: "harness/load/screen.ts",
        from: "[...printable(text)]",
        to: "[...text]",
      },
    )
    const out = terminal(80, 24)
    new careless.Screen(out).show([HOSTILE], "")
    expect(out.raw()).toContain("\u001b")
  })
})

describe("blocks", () => {
  test("of a meter are full only when all is there", () => {
    expect([meter(0, 10, 4), meter(9.99, 10, 4), meter(10, 10, 4), meter(99, 10, 4), meter(0, 0, 2)]).toEqual(
      [...["░░░░", "███░", "████", "████", "██"]],
    )
  })

  test("of a sparkline reach from nothing to the greatest, with gaps where nothing was measured", () => {
    expect(sparkline([0, 1, null, 8], 6)).toBe("  ▁▂ █")
    expect(sparkline([0, 0], 2)).toBe("▁▁")
    expect(sparkline([9, 1, 1], 2)).toBe("██")
    expect(sparkline([], 3)).toBe("   ")
  })
})

interface Terminal extends Output {
  columns: number
  hasColors: () => boolean
  /** All that was written. */
  readonly raw: () => string
  /** Without control sequences. */
  readonly text: () => string
}

function terminal(columns: number, rows: number, isTTY = true): Terminal {
  let written = ""
  return {
    ...{ isTTY, columns, rows },
    hasColors: () => false,
    write: (piece: string | Uint8Array) => {
      written += String(piece)
      return true
    },
    raw: () => written,
    text: () => stripVTControlCharacters(written),
  }
}
