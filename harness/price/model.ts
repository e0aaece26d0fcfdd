import { parseConfig } from "../../firmware/config.ts"
import { floorAndSteps, nominalSegmentBytes } from "../../firmware/delivery/padding.ts"
import type { BitsPerSecond, Bytes, Seconds } from "../../firmware/units.ts"
import { type CostLine, costLine, costOf } from "./cost-line.ts"
import { CAMERA_BITRATES, onPi, PI_MODELS } from "./estimate.ts"
import type { Variant } from "./measure.ts"
import type { PriceReport, SizeReport } from "./report.ts"

type Share = PriceReport["shares"][number]
type MinuteLine = PriceReport["clipMinute"]["lines"][number]
type MonthLine = PriceReport["month"]["lines"][number]

interface Lines {
  readonly cameras: CostLine
  readonly broker: CostLine
  readonly bytes: CostLine
}

const GB: Bytes = 2 ** 30
const SECONDS_PER_MINUTE = 60
const DAYS_PER_MONTH = 30

/** From the sizes that were measured to those that cameras upload, which follow from bit rate and padding. */
export class Model {
  readonly #plain: Lines
  readonly #tls: Lines
  readonly #sealing: Lines
  readonly #cipherBytesPerSecond: number

  constructor(sizes: readonly SizeReport[], cipherBytesPerSecond: number) {
    this.#cipherBytesPerSecond = cipherBytesPerSecond
    const line = (perGB: (size: SizeReport) => number) =>
      costLine(
        sizes.map((size) => ({ bytes: size.objectBytes, seconds: (perGB(size) * size.objectBytes) / GB })),
      )
    const added = (name: Variant): Lines => {
      const of = (size: SizeReport) => size.added.find((each) => each.name === name)
      return {
        cameras: line((size) => of(size)?.cpuSecondsPerGB.cameras ?? 0),
        broker: line((size) => of(size)?.cpuSecondsPerGB.broker ?? 0),
        bytes: line((size) => of(size)?.bytesPerGB ?? 0),
      }
    }
    const plain = (size: SizeReport) => size.variants.find(({ name }) => name === "plain")?.cpuSecondsPerGB
    this.#plain = {
      cameras: line((size) => plain(size)?.cameras ?? 0),
      broker: line((size) => plain(size)?.broker ?? 0),
      bytes: { perObject: 0, perByte: 1 },
    }
    this.#tls = added("TLS")
    this.#sealing = added("sealing")
  }

  share(bitsPerSecond: BitsPerSecond): Share {
    const { padded, every } = segmentAt(bitsPerSecond)
    const here = costOf(this.#sealing.cameras, padded)
    const perCent = (seconds: Seconds) => (seconds / every) * 100
    return {
      bitsPerSecond,
      objectBytes: padded,
      sealingHere: perCent(here),
      tlsHere: perCent(costOf(this.#tls.cameras, padded)),
      estimates: PI_MODELS.map((model) => ({
        model: model.name,
        sealing: perCent(
          onPi(model, { seconds: here, cipherBytesPerSecond: this.#cipherBytesPerSecond }, padded),
        ),
      })),
    }
  }

  shares(): readonly Share[] {
    return CAMERA_BITRATES.map((rate) => this.share(rate))
  }

  clipMinute(bitsPerSecond: BitsPerSecond): readonly MinuteLine[] {
    const { media, padded, every } = segmentAt(bitsPerSecond)
    const segments = SECONDS_PER_MINUTE / every
    const line = (name: string, of: Lines, from: Bytes, to: Bytes): MinuteLine => {
      const cost = (each: CostLine) => segments * (costOf(each, to) - (from > 0 ? costOf(each, from) : 0))
      return {
        name,
        camerasMs: cost(of.cameras) * 1e3,
        brokerMs: cost(of.broker) * 1e3,
        bytes: cost(of.bytes),
      }
    }
    return [
      line("plain, not padded", this.#plain, 0, media),
      line("padding", this.#plain, media, padded),
      line("TLS", this.#tls, 0, padded),
      line("sealing", this.#sealing, 0, padded),
    ]
  }

  /** What the cloud pays: processor time of broker and ingest, and what it keeps for a month. */
  month(
    use: { readonly cameras: number; readonly minutesPerDay: number; readonly bitsPerSecond: BitsPerSecond },
    prices: { readonly dollarsPerVcpuHour: number; readonly dollarsPerGBMonth: number },
  ): readonly MonthLine[] {
    const minutes = use.cameras * use.minutesPerDay * DAYS_PER_MONTH
    return this.clipMinute(use.bitsPerSecond).map(({ name, brokerMs, bytes }) => {
      const vcpuHours = (brokerMs * minutes) / 3_600_000
      // What TLS adds is on the wire and is not kept.
      const gigabytes = name === "TLS" ? 0 : (bytes * minutes) / GB
      const dollars = vcpuHours * prices.dollarsPerVcpuHour + gigabytes * prices.dollarsPerGBMonth
      return { name, vcpuHours, gigabytes, dollars }
    })
  }
}

/** A segment of a camera with the configuration's defaults whose encoder holds its rate. */
export function segmentAt(bitsPerSecond: BitsPerSecond): {
  readonly media: Bytes
  readonly padded: Bytes
  readonly every: Seconds
} {
  const { lens, recording } = parseConfig({ lens: { bitsPerSecond } })
  const media = nominalSegmentBytes({ ...lens, segmentMin: recording.segmentMin })
  return { media, padded: floorAndSteps(media)(media), every: (media * 8) / bitsPerSecond }
}
