import { type Bytes, MiB, type Seconds } from "../../firmware/units.ts"
import { median } from "../bench/row.ts"
import { perGB } from "../bench/slice.ts"
import { type Round, type Sample, VARIANTS, type Variant } from "./measure.ts"
import type { AddedReport, SizeReport } from "./report.ts"

/** 64 bytes in base64, which the envelope of a plain fleet fills with zeros. */
const SIGNATURE_BYTES: Bytes = 88
/** Header, content type and tag around at most 16 KiB (RFC 8446 §5.2). Computed: sockets do not tell. */
const TLS_RECORD_ADDS: Bytes = 22
const TLS_RECORD_BYTES: Bytes = 16_384

/** What each variant took, and what it took more than plain in the same round. */
export function compareSizes(objectBytes: Bytes, rounds: readonly Round[]): SizeReport {
  const all = (value: (sample: Sample) => number, variant: Variant) =>
    median(rounds.map((round) => value(round[variant])))
  const perObject = (bytes: (sample: Sample) => Bytes, variant: Variant) =>
    all((sample) => bytes(sample) / sample.busy.objects, variant)
  const { payloadOverhead, header } = sealedOverhead(
    perObject(({ busy }) => busy.sealedBytes - busy.bytes, "sealing"),
  )
  const manifestsPerObject = all(({ busy }) => busy.manifests / busy.objects, "sealing")
  const bytesPerObject = {
    ageHeader: header,
    streamNonceAndTags: payloadOverhead,
    signature: SIGNATURE_BYTES * manifestsPerObject,
    tls: Math.ceil(objectBytes / TLS_RECORD_BYTES) * TLS_RECORD_ADDS,
    manifest: perObject(({ busy }) => busy.manifestBytes, "sealing"),
    padding: perObject(({ busy }) => busy.paddingBytes, "sealing"),
  }
  const sealingBytes = bytesPerObject.ageHeader + bytesPerObject.streamNonceAndTags + bytesPerObject.signature
  const bytesAdded: Readonly<Record<Variant, Bytes>> = {
    plain: 0,
    TLS: bytesPerObject.tls,
    sealing: sealingBytes,
    "TLS + sealing": bytesPerObject.tls + sealingBytes,
  }
  return {
    objectBytes,
    variants: VARIANTS.map((name) => ({ name, ...whole((value) => all(value, name)) })),
    added: VARIANTS.filter((name) => name !== "plain").map((name) => ({
      name,
      bytesPerGB: (bytesAdded[name] / objectBytes) * 2 ** 30,
      ...overPlain(rounds, name),
    })),
    alone: {
      sealing: median(rounds.map(({ alone }) => perGB(alone.sealing, objectBytes))),
      signing: median(rounds.map(({ alone }) => perGB(alone.signing * manifestsPerObject, objectBytes))),
    },
    bytesPerObject,
  }
}

const cameras = ({ busy }: Sample) => perGB(busy.cameras, busy.bytes)
const broker = ({ busy }: Sample) => perGB(busy.broker, busy.bytes)
const both = (sample: Sample) => cameras(sample) + broker(sample)

type Summary = (value: (sample: Sample) => number) => number

function whole(of: Summary) {
  return {
    cpuSecondsPerGB: { cameras: of(cameras), broker: of(broker), both: of(both) },
    megabytesPerSecond: of(({ busy }) => busy.bytes / 1e6 / busy.length),
    latencyMs: { p50: of(({ latency }) => latency.p50), p95: of(({ latency }) => latency.p95) },
    peakMiB: { cameras: of(({ peak }) => peak.cameras / MiB), broker: of(({ peak }) => peak.broker / MiB) },
  }
}

function overPlain(rounds: readonly Round[], name: Variant): Omit<AddedReport, "name" | "bytesPerGB"> {
  const { cpuSecondsPerGB, latencyMs, peakMiB } = whole((value) =>
    median(rounds.map((round) => value(round[name]) - value(round.plain))),
  )
  return { cpuSecondsPerGB, latencyMs, peakMiB }
}

/** What sealing added to each round's CPU seconds a GB: the samples of the row that is judged. */
export function addedSamples(rounds: readonly Round[], name: Variant): readonly number[] {
  return rounds.map((round) => both(round[name]) - both(round.plain))
}

/** CPU seconds of one object, from CPU seconds a GB. */
export function perObject(cpuSecondsPerGB: number, objectBytes: Bytes): Seconds {
  return (cpuSecondsPerGB * objectBytes) / 2 ** 30
}

/** An X25519 header is always as long; the rest is STREAM's. */
const AGE_HEADER_BYTES: Bytes = 168

function sealedOverhead(bytes: Bytes): { readonly header: Bytes; readonly payloadOverhead: Bytes } {
  return { header: AGE_HEADER_BYTES, payloadOverhead: bytes - AGE_HEADER_BYTES }
}
