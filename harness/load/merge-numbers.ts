import { FAILURES_MAX } from "./findings.ts"
import { mergedPrivacy } from "./merge-privacy.ts"
import { encoded, type RunNumbers } from "./numbers.ts"
import type { Invariant } from "./report.ts"
import { SERIES, type Series, type SeriesName } from "./series.ts"
import { worstFirst } from "./worst.ts"

/** What one shard with a clip shows, the run shows. */
const WITHOUT_CLIP = "runs without a clip"

/** Of a latency or a lag a sum says nothing: the slowest shard's is shown. */
const WORST_OF: ReadonlySet<SeriesName> = new Set(["receiptP50Ms", "receiptP95Ms", "alertP95Ms", "lagMs"])

/** The numbers of one run from those of all its shards: counts, costs and memory add up, and so do distributions. */
export function mergedNumbers(parts: readonly RunNumbers[]): RunNumbers {
  const sum = (of: (part: RunNumbers) => number) => parts.reduce((total, part) => total + of(part), 0)
  const known = <T>(of: (part: RunNumbers) => T | null) => parts.map(of).filter((each) => each !== null)
  const histogram = (name: keyof RunNumbers["times"]) => encoded(parts.map(({ times }) => times[name]))
  const recoveries = known(({ recoverySeconds }) => recoverySeconds)
  const ups = known(({ up }) => up)
  const idles = known(({ idle }) => idle)
  return {
    cameras: summed(parts.map(({ cameras }) => cameras)),
    clips: summed(parts.map(({ clips }) => clips)),
    segments: summed(parts.map(({ segments }) => segments)),
    bytes: summed(parts.map(({ bytes }) => bytes)),
    invariants: mergedInvariants(parts.map(({ invariants }) => invariants)),
    failures: failuresOf(parts),
    times: {
      receipt: histogram("receipt"),
      alert: histogram("alert"),
      connect: histogram("connect"),
      backOff: histogram("backOff"),
      lag: histogram("lag"),
      live: histogram("live"),
    },
    counts: summed(parts.map(({ counts }) => counts)),
    up: ups.length === 0 ? null : summed(ups),
    seconds: Math.max(...parts.map(({ seconds }) => seconds)),
    recoverySeconds: recoveries.length === 0 ? null : Math.max(...recoveries),
    usage: summed(parts.map(({ usage }) => usage)),
    idle: idles.length === 0 || sum(({ idle }) => (idle === null ? 1 : 0)) > 0 ? null : summed(idles),
    worst: worstFirst(parts.flatMap(({ worst }) => worst)),
    privacy: mergedPrivacy(parts.map(({ privacy }) => privacy ?? null)),
    series: mergedSeries(parts.map(({ series }) => series)),
  }
}

function summed<Name extends string>(parts: readonly Readonly<Record<Name, number>>[]): Record<Name, number> {
  const sum = { ...parts[0] } as Record<Name, number>
  for (const part of parts.slice(1)) for (const name of Object.keys(sum) as Name[]) sum[name] += part[name]
  return sum
}

/** Limits are the scenario's, so they are not added. */
function mergedInvariants(parts: readonly (readonly Invariant[])[]): Invariant[] {
  return (parts[0] ?? []).map(({ name, limit }) => {
    const same = parts.flatMap((part) => part.filter((each) => each.name === name))
    const counts = same.map(({ count }) => count)
    const count = name === WITHOUT_CLIP ? Math.min(...counts) : counts.reduce((a, b) => a + b, 0)
    return { name, count, limit, detail: mergedDetail(same.map(({ detail }) => detail)) }
  })
}

/** "4,112 tries by others": how much was tried is the first number of such a text, and adds up. */
function mergedDetail(details: readonly string[]): string {
  const [first = ""] = details
  const number = /\d[\d,]*/
  const parts = details.map((detail) => number.exec(detail)?.[0])
  const amounts = parts.filter((part) => part !== undefined).map((part) => Number(part.replaceAll(",", "")))
  const sum = amounts.reduce((a, b) => a + b, 0).toLocaleString("en-US")
  const texts = new Set(details.map((detail) => detail.replace(number, "#")))
  return texts.size === 1 && amounts.length > 0
    ? first.replace(number, sum)
    : [...new Set(details)].join("; ")
}

/** Some of each shard's: one that broke everywhere does not hide what broke elsewhere. */
function failuresOf(parts: readonly RunNumbers[]): string[] {
  const lines: string[] = []
  for (let turn = 0; turn < FAILURES_MAX; turn++)
    for (const { failures } of parts) {
      const line = failures[turn]
      if (line !== undefined && !withoutClip(line, parts)) lines.push(line)
    }
  return lines.slice(0, FAILURES_MAX)
}

function withoutClip(line: string, parts: readonly RunNumbers[]): boolean {
  return line.startsWith(`${WITHOUT_CLIP}:`) && parts.some(({ clips }) => clips.delivered > 0)
}

/** On the seconds of the longest; each counted from its own first camera's start. */
function mergedSeries(parts: readonly Series[]): Series {
  const longest = parts.reduce((most, each) => (each.at.length > most.at.length ? each : most))
  const slots = parts.map((part) => longest.at.map((at) => slotAt(part, at)))
  const column = (name: SeriesName) =>
    longest.at.map((_, position) => {
      const values = parts
        .map(({ columns }, part) => columns[name][slots[part]?.[position] ?? -1] ?? null)
        .filter((value) => value !== null)
      if (values.length === 0) return null
      if (WORST_OF.has(name)) return Math.max(...values)
      return Number(values.reduce((a, b) => a + b, 0).toFixed(3))
    })
  const names = Object.keys(SERIES) as SeriesName[]
  const columns = Object.fromEntries(names.map((name) => [name, column(name)])) as Series["columns"]
  return { schema: "obscura.series.v1", at: [...longest.at], columns }
}

/** The slot that `at` lies in; each reaches from the end of the one before, give or take half a second. -1: none. */
function slotAt({ at: ends }: Series, at: number): number {
  let [low, high] = [0, ends.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ends[middle] ?? 0) < at - 0.5) low = middle + 1
    else high = middle
  }
  if (low === ends.length) return -1
  const begins = ends[low - 1] ?? (ends[0] ?? 0) - 1
  return at > begins - 0.5 ? low : -1
}
