import { readFileSync } from "node:fs"
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from "mediabunny"
import type { PictureTime } from "../../../firmware/ports.ts"
import { sharedData } from "../../support.ts"
import { annexB } from "./synthetic.ts"

/** A film as another library reads it: the oracle of these tests. */
export interface Film {
  readonly units: readonly FilmUnit[]
  /** What a decoder says of the pictures' size. */
  readonly width: number
  readonly height: number
  readonly codec: string
  /** Seconds. */
  readonly duration: number
}

export interface FilmUnit extends PictureTime {
  readonly nals: readonly Uint8Array[]
  readonly keyFrame: boolean
}

export async function readFilm(bytes: Uint8Array): Promise<Film> {
  const input = new Input({ source: new BufferSource(bytes), formats: ALL_FORMATS })
  const track = await input.getPrimaryVideoTrack()
  if (track === null) throw new Error("no video in this film")
  const config = await track.getDecoderConfig()
  const packets = []
  for await (const packet of new EncodedPacketSink(track).packets()) packets.push(packet)
  const pts = packets.map((packet) => Math.round(packet.timestamp * 90_000))
  const inOrder = pts.toSorted((a, b) => a - b)
  const delay = Math.max(...inOrder.map((time, i) => time - (pts[i] ?? 0)))
  return {
    units: packets.map((packet, i) => ({
      nals: nalsOf(packet.data),
      keyFrame: packet.type === "key",
      pts: pts[i] ?? 0,
      dts: (inOrder[i] ?? 0) - delay,
    })),
    width: config?.codedWidth ?? 0,
    height: config?.codedHeight ?? 0,
    codec: config?.codec ?? "",
    duration: await track.computeDuration(),
  }
}

/** A film of the shared footage as a camera would send it, with parameter sets before every key frame; null: not here. */
export async function footage(name: string): Promise<{ film: Film; stream: Buffer[] } | null> {
  const path = sharedData(`footage/${name}`)
  if (path === null) return null
  const bytes = readFileSync(path)
  const film = await readFilm(bytes)
  const sets = parameterSetsOf(bytes)
  const units = film.units.map((unit) => {
    const nals = unit.nals.flatMap(withoutStartCode)
    return { ...unit, nals: unit.keyFrame ? [...sets, ...nals] : nals }
  })
  return { film: { ...film, units }, stream: units.map(({ nals }) => annexB(nals)) }
}

/** Four-byte lengths (ISO/IEC 14496-15 §5.3.2). */
function nalsOf(sample: Uint8Array): Uint8Array[] {
  const view = new DataView(sample.buffer, sample.byteOffset, sample.length)
  const nals: Uint8Array[] = []
  for (let at = 0; at < sample.length; ) {
    const length = view.getUint32(at)
    nals.push(sample.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return nals
}

/** Each film's own muxer took the end of sequence, start code and all, for a part of the last slice. */
function withoutStartCode(nal: Uint8Array): Uint8Array[] {
  const code = Buffer.from(nal).indexOf(Buffer.from([0, 0, 0, 1]))
  return code < 0 ? [nal] : [nal.subarray(0, code), nal.subarray(code + 4)]
}

function parameterSetsOf(film: Buffer): Uint8Array[] {
  let at = film.indexOf("avcC") + 4 + 6
  const sps = film.subarray(at + 2, at + 2 + film.readUInt16BE(at))
  at += 2 + sps.length + 1
  return [sps, film.subarray(at + 2, at + 2 + film.readUInt16BE(at))]
}
