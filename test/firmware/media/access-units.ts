import { expect } from "vitest"
import type { MediaFlaw } from "../../../firmware/log.ts"
import { AccessUnitParser, type DecodableUnit } from "../../../firmware/media/annexb.ts"
import type { PictureTime, Piece } from "../../../firmware/ports.ts"
import { annexB, type Picture, type WithNals, whole } from "./synthetic.ts"

export const FRAME = 6_000

interface Parsed {
  readonly units: DecodableUnit[]
  readonly flaws: MediaFlaw[]
}

export function parse(pieces: readonly Piece[], framesPerSecond = 15, unitBytesMax?: number): Parsed {
  const flaws: MediaFlaw[] = []
  const parser = new AccessUnitParser({
    framesPerSecond,
    onFlaw: (flaw) => flaws.push(flaw),
    ...(unitBytesMax === undefined ? {} : { unitBytesMax }),
  })
  return { units: [...pieces.flatMap((piece) => parser.push(piece)), ...parser.flush()], flaws }
}

/** The whole of `stream`, its access units one buffer each, in pieces that end at `cuts`; times go where units begin. */
export function cutAt(
  stream: readonly Uint8Array[],
  times: readonly PictureTime[],
  cuts: readonly number[],
): Piece[] {
  const bytes = Buffer.concat(stream)
  const begins = [0]
  for (const unit of stream) begins.push((begins.at(-1) ?? 0) + unit.length)
  const ends = [...new Set([...cuts.map((cut) => cut % bytes.length), bytes.length])].sort((a, b) => a - b)
  let from = 0
  return ends.map((to) => {
    const timing = times.filter((_, i) => (begins[i] ?? 0) >= from && (begins[i] ?? 0) < to)
    const piece = { bytes: bytes.subarray(from, to), at: 1_000, timing }
    from = to
    return piece
  })
}

export const timesOf = (units: readonly PictureTime[]) => units.map(({ pts, dts }) => ({ pts, dts }))
export const timesFor = (all: readonly Picture[]): PictureTime[] =>
  all.map(({ shown }, i) => ({ dts: i * FRAME, pts: (shown + 2) * FRAME }))
/** As a camera that flushes each picture gives them. */
export const live = (all: readonly Picture[], period: number): Piece[] =>
  all.map(({ nals }, i) => ({ bytes: annexB(nals), at: 1_000 + i * period }))

export function expectRising(values: readonly number[]): void {
  expect(values.every((value, i) => i === 0 || value > (values[i - 1] ?? value))).toBe(true)
}

export function sameNals(a: WithNals, b: WithNals | undefined): boolean {
  return (
    b !== undefined &&
    a.nals.length === b.nals.length &&
    a.nals.every((nal, i) => whole(nal).equals(whole(b.nals[i] ?? new Uint8Array())))
  )
}
