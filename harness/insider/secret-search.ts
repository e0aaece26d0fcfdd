import { bech32 } from "@scure/base"
import { type Bytes, MiB } from "../../firmware/units.ts"
import { base64Core, filesUnder, openListed } from "../load/plain-search.ts"

export interface Secret {
  /** What it is, for evidence; never itself. */
  readonly name: string
  readonly bytes: Uint8Array
}

export interface FoundSecret {
  readonly name: string
  readonly file: string
  readonly form: string
}

interface Needle {
  readonly name: string
  readonly form: string
  readonly bytes: Buffer
}

const WINDOW_BYTES: Bytes = 4 * MiB
const PREFIX_BYTES: Bytes = 4
/** Bits of a filter that most positions do not pass. */
const FILTER_BITS = 20
/** 2^32 over the golden ratio: spreads prefixes over the filter (Knuth, TAOCP vol. 3, §6.4). */
const MIX = 0x9e3779b1
const FOUND_MAX = 10

/**
 * Looks for exact secrets in every file under `paths`, at most `bytesMax` of each: as bytes, in hex of either case, in
 * base64 and base64url at each alignment, and in bech32 of either case. One pass, however many secrets there are.
 */
export async function searchSecrets(
  paths: readonly string[],
  secrets: readonly Secret[],
  bytesMax: Bytes = Number.POSITIVE_INFINITY,
): Promise<{ readonly found: readonly FoundSecret[]; readonly files: number; readonly bytes: Bytes }> {
  const needles = secrets.flatMap(formsOf)
  const search = new NeedleSearch(needles)
  const longest = needles.reduce((most, { bytes }) => Math.max(most, bytes.length), PREFIX_BYTES)
  const files = await filesUnder(paths)
  const found: FoundSecret[] = []
  let bytes = 0
  const buffer = Buffer.allocUnsafeSlow(WINDOW_BYTES + longest)
  for (const file of files) {
    const handle = await openListed(file, paths)
    if (handle === null) continue
    try {
      let kept = 0
      for (let at = 0; at < bytesMax; ) {
        const { bytesRead } = await handle.read(buffer, kept, WINDOW_BYTES, at)
        if (bytesRead === 0) break
        const window = buffer.subarray(0, kept + bytesRead)
        for (const { name, form } of search.in(window))
          if (found.length < FOUND_MAX) found.push({ name, form, file })
        at += bytesRead
        bytes += bytesRead
        kept = Math.min(longest - 1, window.length)
        buffer.copyWithin(0, window.length - kept, window.length)
      }
    } finally {
      await handle.close()
    }
  }
  return { found, files: files.length, bytes }
}

class NeedleSearch {
  readonly #filter = new Uint8Array(2 ** FILTER_BITS)
  readonly #byPrefix = new Map<number, Needle[]>()

  constructor(needles: readonly Needle[]) {
    for (const needle of needles) {
      const prefix = needle.bytes.readUInt32BE(0)
      this.#byPrefix.set(prefix, [...(this.#byPrefix.get(prefix) ?? []), needle])
      this.#filter[slotOf(prefix)] = 1
    }
  }

  *in(window: Buffer): Generator<Needle> {
    const filter = this.#filter
    let prefix = 0
    for (let at = 0; at < window.length; at++) {
      prefix = ((prefix << 8) | (window[at] ?? 0)) >>> 0
      if (at < PREFIX_BYTES - 1 || filter[slotOf(prefix)] === 0) continue
      const from = at - PREFIX_BYTES + 1
      for (const needle of this.#byPrefix.get(prefix) ?? [])
        if (
          window.compare(
            needle.bytes,
            0,
            needle.bytes.length,
            from,
            Math.min(window.length, from + needle.bytes.length),
          ) === 0
        )
          yield needle
    }
  }
}

const slotOf = (prefix: number): number => Math.imul(prefix, MIX) >>> (32 - FILTER_BITS)

function formsOf({ name, bytes: secret }: Secret): readonly Needle[] {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString("hex")
  // The last digit has the check or another byte's bits in it.
  const words = bech32.encode("x", bech32.toWords(bytes), false).slice(2, -7)
  const base64 = [0, 1, 2].map((alignment) => base64Core(bytes, alignment))
  const forms: Readonly<Record<string, Buffer>> = {
    bytes,
    hex: Buffer.from(hex),
    "upper-case hex": Buffer.from(hex.toUpperCase()),
    bech32: Buffer.from(words),
    "upper-case bech32": Buffer.from(words.toUpperCase()),
    ...Object.fromEntries(base64.map((text, i) => [`base64 at ${i}`, Buffer.from(text)])),
    ...Object.fromEntries(
      base64.map((text, i) => [
        `base64url at ${i}`,
        Buffer.from(text.replaceAll("+", "-").replaceAll("/", "_")),
      ]),
    ),
  }
  return Object.entries(forms)
    .filter(([, each]) => each.length >= PREFIX_BYTES)
    .map(([form, each]) => ({ name, form, bytes: each }))
}
