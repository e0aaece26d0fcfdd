import { KiB } from "../../firmware/units.ts"
import { aligned } from "../bench/table.ts"
import { type PriceReport, quickRounds, type SizeReport } from "./report.ts"

/** One table, for a terminal and a page alike; the first row is its head. */
export interface PriceTable {
  readonly title: string
  readonly rows: readonly (readonly string[])[]
  readonly notes: readonly string[]
}

/** The report for a terminal. */
export function priceText(report: PriceReport): string {
  const tables = priceTables(report).map(({ title, rows, notes }) =>
    [title, aligned(rows), ...notes].join("\n"),
  )
  return [...caveats(report), ...tables, report.sentence, ...footnotes(report)].join("\n\n")
}

export function priceTables(report: PriceReport): readonly PriceTable[] {
  return [
    ...report.sizes.map(sizeTable),
    ...(report.targets.length > 0 ? [targetsTable(report)] : []),
    clipMinuteTable(report),
    sharesTable(report),
    monthTable(report),
  ]
}

/** To be read before the numbers. */
export function caveats({ quick, rounds }: PriceReport): readonly string[] {
  if (!quick) return []
  return [
    `These are the numbers of ${quickRounds(rounds)}: they show that it runs, are no measurements, and judge no target.`,
  ]
}

export function footnotes({ machine, cameras, rounds, quick }: PriceReport): readonly string[] {
  const how = quick ? quickRounds(rounds) : rounds === 1 ? "one round" : `medians of ${rounds} rounds`
  return [
    `${machine}; ${cameras} cameras, ${how}. ` +
      "GB is 2^30 bytes of plaintext with padding, which all variants have in common.",
  ]
}

function sizeTable({ objectBytes, variants, added, alone, bytesPerObject }: SizeReport): PriceTable {
  const cells = (row: Pick<SizeReport["variants"][number], "cpuSecondsPerGB" | "latencyMs" | "peakMiB">) => [
    ...[row.cpuSecondsPerGB.cameras, row.cpuSecondsPerGB.broker, row.cpuSecondsPerGB.both].map(two),
    ...[row.latencyMs.p50, row.latencyMs.p95].map(one),
    ...[row.peakMiB.cameras, row.peakMiB.broker].map(whole),
  ]
  const { ageHeader, streamNonceAndTags, signature, tls, manifest, padding } = bytesPerObject
  return {
    title: `Objects of ${objectBytes / KiB} KiB`,
    rows: [
      [
        "",
        "cameras",
        "broker",
        "CPU-s/GB",
        "p50 ms",
        "p95 ms",
        "cameras MiB",
        "broker MiB",
        "MB/s",
        "bytes/GB",
      ],
      ...variants.map((row) => [row.name, ...cells(row), whole(row.megabytesPerSecond), ""]),
      ...added.map((row) => [`${row.name} adds`, ...cells(row).map(signed), "", thousands(row.bytesPerGB)]),
    ],
    notes: [
      `Sealing on its own: ${two(alone.sealing)} CPU-s/GB for cipher and age header, ${two(alone.signing)} for signatures.`,
      `Bytes an object: age header ${whole(ageHeader)}, STREAM nonce and tags ${whole(streamNonceAndTags)}, signature ` +
        `${whole(signature)}, TLS records ${whole(tls)} (computed); in every variant manifests ${whole(manifest)}, ` +
        `padding ${whole(padding)}.`,
    ],
  }
}

function targetsTable({ targets }: PriceReport): PriceTable {
  return {
    title: "What sealing adds over plain, CPU-s/GB",
    rows: [
      ["row", "sealing", "reach", "TLS adds", "samples", ""],
      ...targets.map(({ name, sealing, reach, tls, samples, pass }) => [
        ...[name, two(sealing), `at most ${reach}`, two(tls), `${samples}`],
        pass === null ? "not judged" : pass ? "reached" : "MISSED",
      ]),
    ],
    notes: [],
  }
}

function clipMinuteTable({ clipMinute: { bitsPerSecond, lines } }: PriceReport): PriceTable {
  return {
    title: `One minute of clips at ${megabits(bitsPerSecond)}`,
    rows: [
      ["", "cameras, CPU ms", "broker, CPU ms", "bytes"],
      ...lines.map(({ name, camerasMs, brokerMs, bytes }) => [
        ...[name, one(camerasMs), one(brokerMs), thousands(bytes)],
      ]),
    ],
    notes: [
      "One segment a second, padded as cameras pad by default. Each line is what comes on top of the first.",
    ],
  }
}

function sharesTable({ shares, sources }: PriceReport): PriceTable {
  const models = shares[0]?.estimates.map(({ model }) => `${model} (estimate)`) ?? []
  return {
    title: "Share of a core while a camera records, %",
    rows: [
      ["", "object", "sealing here", ...models, "TLS here"],
      ...shares.map(({ bitsPerSecond, objectBytes, sealingHere, estimates, tlsHere }) => [
        ...[megabits(bitsPerSecond), `${objectBytes / KiB} KiB`, short(sealingHere)],
        ...estimates.map(({ sealing }) => short(sealing)),
        short(tlsHere),
      ]),
    ],
    notes: sources,
  }
}

function monthTable({ month }: PriceReport): PriceTable {
  const { cameras, minutesPerDay, bitsPerSecond, dollarsPerVcpuHour, dollarsPerGBMonth, lines } = month
  return {
    title:
      `${thousands(cameras)} cameras for a month: ${minutesPerDay} minutes of clips a day at ${megabits(bitsPerSecond)}, ` +
      `a vCPU-hour at $${dollarsPerVcpuHour}, a GB kept for a month at $${dollarsPerGBMonth}`,
    rows: [
      ["", "vCPU-hours", "GB", "$", "cents per camera"],
      ...lines.map(({ name, vcpuHours, gigabytes, dollars }) => [
        ...[name, short(vcpuHours), short(gigabytes), short(dollars), short((dollars * 100) / cameras)],
      ]),
    ],
    notes: ["Of 30 days, all of which are kept. Each line is what comes on top of the first."],
  }
}

/** No zero is below zero. */
const fixed = (digits: number) => (value: number) => value.toFixed(digits).replace(/^-(?=[0.]*$)/, "")
const one = fixed(1)
const two = fixed(2)
const whole = fixed(0)
const short = (value: number) =>
  Math.abs(value) >= 100 ? thousands(value) : Number(value.toPrecision(2)).toString()
const thousands = (value: number) => Math.round(value).toLocaleString("en-US")
const signed = (text: string) => (text.startsWith("-") ? text : `+${text}`)
const megabits = (bitsPerSecond: number) => `${bitsPerSecond / 1e6} Mbit/s`
