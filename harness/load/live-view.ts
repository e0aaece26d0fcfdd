import type { Bytes, Milliseconds, Seconds } from "../../firmware/units.ts"
import { endOf, type Strike } from "../scenario/strikes.ts"
import { LAG_MAX } from "./lag.ts"
import type { CameraProgress } from "./messages.ts"
import { meter, sparkline } from "./meter.ts"
import type { ThresholdResult } from "./report.ts"
import { grouped, type Line, type Screen } from "./screen.ts"

/** What a run is about. */
export interface LiveRun {
  readonly cameras: number
  /** How long things happen. */
  readonly seconds: Seconds
  readonly strikes: readonly Strike[]
}

/** How it stands. */
export interface LiveMoment {
  /** Since the first camera's start. */
  readonly passed: Seconds
  /** Nothing more happens before the cameras. */
  readonly quiet: boolean
  readonly workers: readonly CameraProgress[]
  /** In the bucket. */
  readonly bytes: Bytes
  /** As they would be judged now. */
  readonly thresholds: readonly ThresholdResult[]
}

const HISTORY: Seconds = 60
/** What strikes at one moment is worth a word for a little longer. */
const MOMENT_SHOWN: Seconds = 3
/** So many lines are always there; thresholds get what is left. */
const FIXED_LINES = 9
const LABEL = 12

/** A fleet at work, as text: `look` once a second. */
export class LiveView {
  readonly #run: LiveRun
  readonly #rates: (number | null)[] = []
  readonly #receipts: (number | null)[] = []
  #before: { readonly passed: Seconds; readonly bytes: Bytes } = { passed: 0, bytes: 0 }
  #moment: LiveMoment | null = null

  constructor(run: LiveRun) {
    this.#run = run
  }

  look(moment: LiveMoment): void {
    const { passed, bytes } = this.#before
    const elapsed = moment.passed - passed
    const rate = elapsed > 0 ? Math.max(0, moment.bytes - bytes) / elapsed / 1e6 : null
    this.#before = { passed: moment.passed, bytes: moment.bytes }
    this.#moment = moment
    keep(this.#rates, rate)
    keep(this.#receipts, greatest(moment.workers.map(({ receiptP95Ms }) => receiptP95Ms)))
  }

  draw(screen: Screen): void {
    if (this.#moment === null) return
    screen.show(this.block(screen.columns, screen.rows), this.line())
  }

  /** Where there is no terminal. */
  line(): string {
    const { connected, recorded, sealed, uploaded, received, lagMs } = this.#sums()
    const [s, u, r] = [sealed, uploaded, received].map(grouped)
    return (
      `${this.#stage()}: ${connected}/${this.#run.cameras} connected, clips: ${grouped(recorded)} recorded, ` +
      `objects: ${s} sealed, ${u} uploaded, ${r} received, ${this.#rate()}, lag ${lagMs.toFixed(0)} ms`
    )
  }

  /** At most `rows` lines that fit into `columns`. */
  block(columns: number, rows: number): readonly Line[] {
    const { connected, recorded, discarded, sealed, uploaded, received, waiting, lagMs } = this.#sums()
    const { cameras, seconds } = this.#run
    const passed = this.#moment?.passed ?? 0
    const width = Math.max(5, Math.min(HISTORY, columns - LABEL - 30))
    const [s, u, r, w] = [sealed, uploaded, received, waiting].map(grouped)
    const receipt = this.#receipts.at(-1) ?? null
    return [
      plain("time", `${meter(this.#isQuiet() ? seconds : passed, seconds, width)}  ${this.#stage()}`),
      plain("cameras", `${meter(connected, cameras, width)}  ${connected} of ${cameras} connected`),
      plain("bucket", `${sparkline(this.#rates, width)}  ${this.#rate()}`),
      plain(
        "receipts",
        `${sparkline(this.#receipts, width)}  ${receipt === null ? "none now" : `p95 ${grouped(Math.round(receipt))} ms`}`,
      ),
      plain("clips", `${grouped(recorded)} recorded, ${grouped(discarded)} discarded`),
      plain("objects", `${s} sealed, ${u} uploaded, ${r} received, ${w} waiting`),
      lagLine(lagMs),
      this.#faults(passed),
      ...this.#thresholds(Math.max(1, rows - FIXED_LINES)),
    ].slice(0, rows)
  }

  #isQuiet(): boolean {
    return this.#moment?.quiet === true || (this.#moment?.passed ?? 0) >= this.#run.seconds
  }

  #stage(): string {
    const passed = this.#moment?.passed ?? 0
    return this.#isQuiet()
      ? "finishing clips and uploads"
      : `${passed.toFixed(0)} s of ${this.#run.seconds} s`
  }

  #rate(): string {
    return `${(this.#rates.at(-1) ?? 0).toFixed(1)} MB/s`
  }

  #faults(passed: Seconds): Line {
    if (this.#run.strikes.length === 0) return plain("faults", "none")
    const now = this.#isQuiet() ? [] : this.#run.strikes.filter((strike) => isStriking(strike, passed))
    if (now.length > 0)
      return { ...plain("faults", now.map((each) => spoken(each, passed)).join("; ")), tone: "warning" }
    const next = this.#isQuiet() ? null : this.#run.strikes.find(({ fault }) => fault.at > passed)
    if (!next) return plain("faults", "all over")
    return plain("faults", `none now, ${next.fault.kind} in ${Math.ceil(next.fault.at - passed)} s`)
  }

  #thresholds(most: number): readonly Line[] {
    const all = this.#moment?.thresholds ?? []
    if (all.length === 0) return []
    const failing = all.filter(({ pass, value }) => !pass && value !== null)
    const unknown = all.filter(({ value }) => value === null).length
    const held = all.length - failing.length - unknown
    const shown = failing.slice(0, Math.max(0, most - 1))
    const counts = [
      `${held} ${held === 1 ? "holds" : "hold"}`,
      ...(failing.length > 0 ? [`${failing.length} ${failing.length === 1 ? "does" : "do"} not`] : []),
      ...(unknown > 0 ? [`${unknown} not known yet`] : []),
    ]
    return [
      plain("so far", `thresholds: ${counts.join(", ")}`),
      ...shown.map(({ metric, expr, value }): Line => {
        const came = Number((value ?? 0).toPrecision(4)).toLocaleString("en-US")
        return { ...plain("", `${metric} ${expr} does not hold: it is ${came}`), tone: "bad" }
      }),
    ]
  }

  #sums() {
    const workers = this.#moment?.workers ?? []
    const sum = (of: (worker: CameraProgress) => number) =>
      workers.reduce((total, each) => total + of(each), 0)
    return {
      connected: sum(({ connected }) => connected),
      recorded: sum(({ recorded }) => recorded),
      discarded: sum(({ discarded }) => discarded),
      sealed: sum(({ sealed }) => sealed),
      uploaded: sum(({ uploaded }) => uploaded),
      received: sum(({ received }) => received),
      waiting: sum(({ waiting }) => waiting),
      lagMs: Math.max(0, ...workers.map(({ lagMs }) => lagMs)),
    }
  }
}

function plain(label: string, text: string): Line {
  return { text: `  ${label.padEnd(LABEL - 2)}${text}`, tone: "plain" }
}

function lagLine(lagMs: Milliseconds): Line {
  const late = `${grouped(Math.round(lagMs))} ms`
  if (lagMs <= LAG_MAX) return plain("lag", late)
  return { ...plain("lag", `${late}: this machine is too small for the run`), tone: "warning" }
}

function keep(history: (number | null)[], value: number | null): void {
  history.push(value)
  if (history.length > HISTORY) history.shift()
}

function greatest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : Math.max(...known)
}

function isStriking(strike: Strike, passed: Seconds): boolean {
  const { at } = strike.fault
  return passed >= at && passed < Math.max(endOf(strike), at + MOMENT_SHOWN)
}

/** "power-cut on 16 cameras, 3 s more". */
function spoken(strike: Strike, passed: Seconds): string {
  const { fault, cameras } = strike
  const whom =
    cameras === null ? "" : ` on ${grouped(cameras.length)} ${cameras.length === 1 ? "camera" : "cameras"}`
  const left = Math.ceil(endOf(strike) - passed)
  return `${fault.kind}${whom}${left > 0 ? `, ${left} s more` : ""}`
}
