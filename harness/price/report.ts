import { z } from "zod"

/** What `obscura price --json` writes. A GB is 2^30 bytes of plaintext with padding: what all variants have in common. */

const amount = z.number()
const cpu = z.strictObject({
  /** CPU seconds a GB: of the cameras' process, of broker, ingest and bucket, and of both. */
  cameras: amount,
  broker: amount,
  both: amount,
})

const variantShape = z.strictObject({
  name: z.string().min(1),
  /** Medians over the rounds. */
  cpuSecondsPerGB: cpu,
  megabytesPerSecond: amount,
  /** From listing to receipt, at a set pace. */
  latencyMs: z.strictObject({ p50: amount, p95: amount }),
  /** The most that was resident. */
  peakMiB: z.strictObject({ cameras: amount, broker: amount }),
})

const addedShape = z.strictObject({
  name: z.string().min(1),
  /** Medians of the differences within each round. */
  cpuSecondsPerGB: cpu,
  bytesPerGB: amount,
  latencyMs: z.strictObject({ p50: amount, p95: amount }),
  peakMiB: z.strictObject({ cameras: amount, broker: amount }),
})

const sizeShape = z.strictObject({
  /** Plaintext with padding of one object. */
  objectBytes: z.int(),
  variants: z.array(variantShape),
  /** Over plain: by TLS, by sealing, by both. */
  added: z.array(addedShape),
  /** Sealing measured on its own, in a process that does nothing else; CPU seconds a GB. */
  alone: z.strictObject({ sealing: amount, signing: amount }),
  /** Of one object; manifests are those of every variant. */
  bytesPerObject: z.strictObject({
    ageHeader: amount,
    streamNonceAndTags: amount,
    signature: amount,
    tls: amount,
    manifest: amount,
    padding: amount,
  }),
})

/** For one minute of clips at a camera's bit rate, by the line through the sizes measured. */
const clipMinuteShape = z.strictObject({
  name: z.string().min(1),
  camerasMs: amount,
  brokerMs: amount,
  bytes: amount,
})

const shareShape = z.strictObject({
  bitsPerSecond: z.int(),
  objectBytes: z.int(),
  /** Per cent of a core while a clip is recorded. */
  sealingHere: amount,
  tlsHere: amount,
  estimates: z.array(z.strictObject({ model: z.string().min(1), sealing: amount })),
})

export const priceShape = z.strictObject({
  schema: z.literal("obscura.price.v1"),
  machine: z.string().min(1),
  /** Then nothing here is worth quoting. */
  quick: z.boolean(),
  cameras: z.int(),
  rounds: z.int(),
  sizes: z.array(sizeShape).min(1),
  /** What sealing adds, over plain, at the sizes that have a reach; beside it what TLS adds. CPU seconds a GB. */
  targets: z.array(
    z.strictObject({
      name: z.string().min(1),
      sealing: amount,
      tls: amount,
      reach: amount,
      samples: z.int(),
      /** null: not judged, for the run was a quick one. */
      pass: z.boolean().nullable(),
    }),
  ),
  clipMinute: z.strictObject({ bitsPerSecond: z.int(), lines: z.array(clipMinuteShape) }),
  shares: z.array(shareShape),
  /** Where the estimates come from. */
  sources: z.array(z.string().min(1)),
  month: z.strictObject({
    cameras: z.int(),
    minutesPerDay: amount,
    bitsPerSecond: z.int(),
    dollarsPerVcpuHour: amount,
    dollarsPerGBMonth: amount,
    lines: z.array(
      z.strictObject({
        name: z.string().min(1),
        vcpuHours: amount,
        gigabytes: amount,
        dollars: amount,
      }),
    ),
  }),
  sentence: z.string().min(1),
})

/** How a quick run's numbers were found, in words. */
export function quickRounds(rounds: number): string {
  return rounds === 1 ? "a single quick round" : `${rounds} quick rounds`
}

export type PriceReport = z.infer<typeof priceShape>
export type SizeReport = z.infer<typeof sizeShape>
export type AddedReport = z.infer<typeof addedShape>
