import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from "hdr-histogram-js"
import type { Milliseconds } from "../../firmware/units.ts"
import type { TallyTimes } from "../../simulator/tally.ts"
import type { CameraProgress, TimesTold } from "./messages.ts"

/** Up to an hour, in microseconds, to three digits. */
export function newHistogram(): Histogram {
  return build({ highestTrackableValue: 3_600_000_000, numberOfSignificantValueDigits: 3 })
}

/** Every time that cameras of one process took for something: of the whole run, and of the last moments. */
export class Times {
  readonly #all = {
    receipt: newHistogram(),
    alert: newHistogram(),
    connect: newHistogram(),
    backOff: newHistogram(),
    lag: newHistogram(),
  }
  readonly #recent = { receipt: newHistogram(), alert: newHistogram() }
  /** A few numbers a camera are enough to name the worst. */
  readonly #ofCamera = new Map<number, Milliseconds[]>()

  of(camera: number): TallyTimes {
    return {
      receipt: (latency) => {
        record(this.#all.receipt, latency)
        record(this.#recent.receipt, latency)
        const own = this.#ofCamera.get(camera)
        if (own) own.push(latency)
        else this.#ofCamera.set(camera, [latency])
      },
      alert: (latency) => {
        record(this.#all.alert, latency)
        record(this.#recent.alert, latency)
      },
      connect: (latency) => record(this.#all.connect, latency),
      backOff: (wait) => record(this.#all.backOff, wait),
    }
  }

  lagged(lag: Milliseconds): void {
    record(this.#all.lag, lag)
  }

  p95Of(camera: number): Milliseconds | null {
    const own = [...(this.#ofCamera.get(camera) ?? [])].sort((a, b) => a - b)
    return own[Math.min(own.length - 1, Math.floor(own.length * 0.95))] ?? null
  }

  sinceLastTime(): Pick<CameraProgress, "receiptP50Ms" | "receiptP95Ms" | "alertP95Ms"> {
    const { receipt, alert } = this.#recent
    const told = {
      receiptP50Ms: percentile(receipt, 50),
      receiptP95Ms: percentile(receipt, 95),
      alertP95Ms: percentile(alert, 95),
    }
    receipt.reset()
    alert.reset()
    return told
  }

  told(): TimesTold {
    const { receipt, alert, connect, backOff, lag } = this.#all
    return {
      receipt: encodeIntoCompressedBase64(receipt),
      alert: encodeIntoCompressedBase64(alert),
      connect: encodeIntoCompressedBase64(connect),
      backOff: encodeIntoCompressedBase64(backOff),
      lag: encodeIntoCompressedBase64(lag),
    }
  }
}

/** All of them together; null: nothing was counted. */
export function addedUp(told: readonly string[]): Histogram | null {
  const sum = newHistogram()
  for (const each of told) sum.add(decodeFromCompressedBase64(each))
  return sum.totalCount === 0 ? null : sum
}

/** Milliseconds. */
export function percentile(histogram: Histogram, at: number): Milliseconds | null {
  return histogram.totalCount === 0 ? null : histogram.getValueAtPercentile(at) / 1_000
}

function record(histogram: Histogram, value: Milliseconds): void {
  histogram.recordValue(Math.min(3_599_000_000, Math.max(0, Math.round(value * 1_000))))
}
