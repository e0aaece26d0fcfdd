import { relative } from "node:path"
import { MiB } from "../../firmware/units.ts"
import { type Check, isBroken } from "./privacy-shape.ts"
import type { Report } from "./report.ts"
import type { RunFolder } from "./run-folder.ts"
import { grouped } from "./screen.ts"

/**
 * A report for a person: the table, what failed and where, and the line that repeats the run. `savedClips`: how many
 * the folder holds; null: neither clips nor bucket, for those are in the folders of the shards.
 */
export function summaryOf(report: Report, folder: RunFolder, savedClips: number | null): string {
  const { cameras, clips, segments, bytes, latency, live, cpu, memory, generator } = report
  const tries = report.invariants.find(({ name }) => name === "clips opened by others")?.detail ?? ""
  const rows: [string, string][] = [
    ["cameras", `${cameras.asked} asked, ${cameras.connected} connected, ${cameras.failed} failed`],
    ["clips", `${grouped(clips.recorded)} recorded, ${grouped(clips.discarded)} discarded on the camera`],
    ["", `${grouped(clips.delivered)} delivered, ${grouped(clips.opened)} opened by their owners`],
    ...(clips.cut > 0
      ? [["", `${clips.cut} cut short by the power; what was safe of them is judged`] as [string, string]]
      : []),
    ["", `${clips.lost} lost, ${clips.doubled} doubled, ${clips.openedByOthers} opened by others (${tries})`],
    [
      "segments",
      `${grouped(segments.sealed)} sealed, ${grouped(segments.delivered)} delivered, ${segments.dropped} dropped`,
    ],
    ["sealed", `${inMiB(bytes.sealed)}, of it ${percent(bytes.padding, bytes.sealed)} padding`],
    ["latency", `${ms(latency.p50Ms)} median, ${ms(latency.p95Ms)} 95th percentile, listed to receipt`],
    ...(live === null
      ? []
      : [
          [
            "live",
            `${grouped(live.pictures)} pictures, ${ms(live.p50Ms)} median, ${ms(live.p95Ms)} 95th percentile, lens to viewer`,
          ] as [string, string],
        ]),
    [
      "CPU",
      `${perGB(cpu.camerasSecondsPerGB)} cameras (sealing ${perGB(cpu.sealingSecondsPerGB)}), ` +
        `${perGB(cpu.brokerSecondsPerGB)} broker, ${perGB(cpu.ingestSecondsPerGB)} ingest`,
    ],
    ["memory", `${memory.camerasMiB.toFixed(0)} MiB cameras, ${memory.brokerMiB.toFixed(0)} MiB broker`],
    ...insidersRow(report),
    ["generator", `lag ${ms(generator.lagP99Ms)} at the 99th percentile`],
  ]
  const failed = report.thresholds.filter(({ pass }) => !pass)
  const table = rows.map(([name, value]) => `  ${name.padEnd(10)}  ${value}`)
  const broken = report.invariants.filter(({ count, limit }) => count > limit)
  const here = nameOf(folder.directory)
  return [
    "",
    ...table,
    ...faultsAndThresholds(report),
    "",
    `  ${here}/report.html  (and report.json, series.json, junit.xml, metrics.prom)`,
    ...(savedClips === null
      ? []
      : [
          `  ${here}/clips  (${savedClips} opened as MP4)`,
          `  ${here}/bucket, ${here}/owners  (sealed, and the keys apart)`,
        ]),
    "",
    ...brokenChecks(report),
    ...broken.map(({ name, count }) => `FAILED  ${grouped(count)} ${name}`),
    ...report.failures.map((failure) => `  ${failure}`),
    ...failed.map(
      ({ metric, expr, value }) =>
        `FAILED  ${metric} ${expr}: ${value === null ? "it never fired" : `it is ${short(value)}`}`,
    ),
    ...(broken.length + failed.length > 0 ? [""] : []),
    report.exitCode === 1
      ? "It did not hold. To repeat it:"
      : failed.length > 0
        ? "It held, but not within its thresholds. To repeat it:"
        : "It held. To repeat it:",
    repeatLine(report),
  ].join("\n")
}

function insidersRow({ checks }: Report): [string, string][] {
  if (checks === undefined) return []
  const sum = (of: (check: Check) => number) => grouped(checks.reduce((total, each) => total + of(each), 0))
  const tried = `${checks.length} checks, ${sum(({ tries }) => tries)} tries, ${sum(({ violations }) => violations)} violations`
  return [["insiders", tried]]
}

function brokenChecks({ checks = [] }: Report): readonly string[] {
  return checks
    .filter(isBroken)
    .flatMap(({ id, says, tries, violations, evidence }) => [
      `FAILED  ${id}: ${says}: ${tries === 0 ? "not tried" : `${grouped(violations)} of ${grouped(tries)} tries`}`,
      ...evidence.map((what) => `  ${what}`),
    ])
}

function faultsAndThresholds({ faults, thresholds }: Report): readonly string[] {
  return [
    ...(faults.length > 0 ? [""] : []),
    ...faults.map(({ at, for: duration, kind, target }) => {
      const when = duration === null ? `at ${short(at)} s` : `${short(at)} to ${short(at + duration)} s`
      return `  ${when.padEnd(16)}  ${kind} (${target === "cloud" ? target : `cameras ${shortened(target)}`})`
    }),
    ...(thresholds.length > 0 ? [""] : []),
    ...thresholds.map(
      ({ metric, expr, value, pass }) =>
        `  ${pass ? "held  " : "FAILED"}  ${metric} ${expr}  (${value === null ? "it never fired" : short(value)})`,
    ),
  ]
}

function short(value: number): string {
  return Number(value.toPrecision(4)).toString()
}

function shortened(target: string): string {
  return target.length > 60 ? `${target.slice(0, 57)}...` : target
}

export function repeatLine({ seed, commit, command }: Pick<Report, "seed" | "commit" | "command">): string {
  return `seed ${seed} · commit ${commit} · ${command}`
}

/** Short where it lies below the working directory. */
function nameOf(directory: string): string {
  const short = relative(process.cwd(), directory)
  return short.startsWith("..") ? directory : short || "."
}

function inMiB(bytes: number): string {
  return `${grouped(Math.round(bytes / MiB))} MiB`
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "0 %" : `${((100 * part) / whole).toFixed(0)} %`
}

function ms(value: number | null): string {
  return value === null ? "none" : `${value} ms`
}

function perGB(value: number | null): string {
  return value === null ? "none" : `${value} s/GB`
}
