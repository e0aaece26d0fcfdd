import { AccessUnitParser, type DecodableUnit } from "../../firmware/media/annexb.ts"
import { NAL, nalType, START_CODE } from "../../firmware/media/nal.ts"
import { segmentsOf } from "../../firmware/media/segments.ts"
import { type Bytes, KiB, type Seconds, seconds } from "../../firmware/units.ts"
import { type Footage, loadScene, unitsOf as unitsOfGroup } from "../../simulator/footage.ts"

const READ_BYTES: Bytes = 64 * KiB

/**
 * One thread that turns a film of `bytes`, read in pieces of 64 KiB cut anywhere, into segments; or only joins these
 * pieces in new memory, which is one copy.
 *
 * The clip goes on from one round to the next. Of a clip that ends nothing is left at the collection that follows each
 * round, and then V8 drops what it compiled: to compile it again takes several times as long as the round itself.
 */
export async function begin({ bytes }: { readonly bytes: Bytes }) {
  const loop = denser(await loadScene("day-person"))
  const film = Buffer.concat(Array.from({ length: Math.ceil(bytes / loop.length) }, () => loop))
  const pieces: Uint8Array[] = []
  for (let at = 0; at < film.length; at += READ_BYTES) pieces.push(film.subarray(at, at + READ_BYTES))

  let read: Bytes = 0
  async function* filmOverAndOver(): AsyncGenerator<DecodableUnit> {
    const parser = new AccessUnitParser({ framesPerSecond: 15, onFlaw: () => undefined })
    for (;;)
      for (const bytes of pieces) {
        for (const unit of parser.push({ bytes, at: read / 100 })) yield unit
        read += bytes.length
      }
  }
  const segments = segmentsOf(filmOverAndOver(), {
    segmentMin: seconds(1),
    clipMax: Number.POSITIVE_INFINITY,
    pad: (size) => size,
    until: () => false,
  })
  let wanted: Bytes = 0
  const mux = async (): Promise<void> => {
    wanted += film.length
    while (read < wanted) await segments.next()
  }
  const copy = () => Buffer.concat(pieces)

  await mux()
  copy()
  return {
    bytes: () => film.length,
    /** Processor time of this process, collector included. */
    async mux(): Promise<Seconds> {
      return cpuSecondsOf(mux)
    },
    async copy(): Promise<Seconds> {
      return cpuSecondsOf(copy)
    },
  }
}

/**
 * The scene at some 2 Mbit/s, a camera's default, which is three times its own rate: each picture's coded bytes are there
 * three times. No muxer looks so far into them, and what ends in no zero byte makes no start code with what follows.
 */
function denser({ groups }: Footage): Buffer {
  const parts: Uint8Array[] = []
  for (const unit of groups.flatMap(unitsOfGroup))
    for (const nal of unit.nals) {
      parts.push(START_CODE, nal)
      if (nalType(nal) <= NAL.idr) parts.push(nal.subarray(1), nal.subarray(1))
    }
  return Buffer.concat(parts)
}

async function cpuSecondsOf(task: () => unknown): Promise<Seconds> {
  globalThis.gc?.()
  const before = process.cpuUsage()
  await task()
  // Each side pays for letting go of its memory, too.
  globalThis.gc?.()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}
