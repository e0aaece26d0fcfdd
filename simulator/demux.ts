import {
  EncodedPacketSink,
  FilePathSource,
  Input,
  type InputVideoTrack,
  MATROSKA,
  MP4,
  QTFF,
  UnsupportedInputFormatError,
} from "mediabunny"
import { Fault } from "../firmware/errors.ts"
import type { PictureTime } from "../firmware/ports.ts"
import type { Ticks90k } from "../firmware/units.ts"
import { annexBFromAvc, parseAvcConfiguration } from "./avc.ts"
import { type Footage, footageOf } from "./footage.ts"
import { cutUnits } from "./units.ts"

/** What a container of video held. */
export interface Demuxed {
  readonly footage: Footage
  /** Pictures that the container promises and that are not there. */
  readonly lost: number
  /** Pictures before the first key frame, left out. */
  readonly skipped: number
}

/**
 * The video of the MP4, MOV or MKV file at `path` as footage called `name`.
 *
 * @throws Fault, definite, its message without the name: "malformed", "unsupported". Else what mediabunny throws: it
 *         cannot be read.
 */
export async function demux(path: string, name: string): Promise<Demuxed> {
  const input = new Input({ formats: [MP4, QTFF, MATROSKA], source: new FilePathSource(path) })
  try {
    const track = await input.getPrimaryVideoTrack()
    if (!track) {
      const audio = (await input.getTracks()).length > 0
      throw audio
        ? new Fault("unsupported", "has sound but no pictures; give a film with H.264 video")
        : new Fault("malformed", "holds no video; it may have been cut short before its index: copy it again")
    }
    await checkCodec(track, name)
    return await footageOfTrack(track, name)
  } catch (cause) {
    if (!(cause instanceof UnsupportedInputFormatError)) throw cause
    throw new Fault("malformed", "is no film; give an MP4, MOV, MKV or raw .h264 file", { cause })
  } finally {
    input.dispose()
  }
}

async function checkCodec(track: InputVideoTrack, name: string): Promise<void> {
  const codec = await track.getCodec()
  if (codec === "avc") return
  const called = codec ? (CODEC_NAMES[codec] ?? codec) : "a video codec that nobody knows"
  const convert = `ffmpeg -i ${name} -an -c:v libx264 -pix_fmt yuv420p converted.mp4`
  throw new Fault("unsupported", `holds ${called}, and cameras send H.264; convert it with: ${convert}`)
}

const CODEC_NAMES: Readonly<Record<string, string>> = {
  hevc: "HEVC (H.265)",
  vp8: "VP8",
  vp9: "VP9",
  av1: "AV1",
}

async function footageOfTrack(track: InputVideoTrack, name: string): Promise<Demuxed> {
  const description = (await track.getDecoderConfig())?.description
  const avc = description ? parseAvcConfiguration(bytesOf(description)) : null
  const parts: Uint8Array[] = []
  const shown: { pts: number; end: number }[] = []
  let skipped = 0
  for await (const packet of new EncodedPacketSink(track).packets()) {
    const unit = avc
      ? annexBFromAvc(packet.data, avc)
      : { bytes: packet.data, keyFrame: packet.type === "key" }
    // Nobody can decode what comes before the first IDR picture.
    if (shown.length === 0 && !unit.keyFrame) {
      skipped++
      continue
    }
    parts.push(unit.bytes)
    const pts = Math.round(packet.timestamp * 90_000)
    shown.push({ pts, end: Math.round((packet.timestamp + packet.duration) * 90_000) })
  }
  if (shown.length === 0) throw new Fault("malformed", "holds no whole key frame; copy it again")
  const bytes = Buffer.concat(parts)
  const units = cutUnits(bytes)
  if (units.length !== shown.length)
    throw new Fault(
      "unsupported",
      "holds something else than one picture in each sample; convert it with ffmpeg",
    )
  const { times, duration } = timesOf(shown)
  const size = { width: await track.getCodedWidth(), height: await track.getCodedHeight() }
  const footage = footageOf({ name, bytes, ...size, units, times, duration })
  const lost = (await track.computePacketStats()).packetCount - shown.length - skipped
  return { footage, lost, skipped }
}

/**
 * A demuxer tells when pictures are shown; when they are decoded follows, for they are stored in that order: at the
 * same moments in ascending order, early enough that none is shown before it is decoded (ISO/IEC 14496-12 §8.6.1).
 */
function timesOf(shown: readonly { pts: Ticks90k; end: Ticks90k }[]): {
  readonly times: readonly PictureTime[]
  readonly duration: Ticks90k
} {
  const ascending = shown.map(({ pts }) => pts).sort((a, b) => a - b)
  const first = ascending[0] ?? 0
  const last = ascending[ascending.length - 1] ?? 0
  let delay = 0
  for (const [index, { pts }] of shown.entries()) delay = Math.max(delay, (ascending[index] ?? 0) - pts)
  const times = shown.map(({ pts }, index) => ({
    pts: pts - first + delay,
    dts: (ascending[index] ?? 0) - first,
  }))
  const end = shown.reduce((latest, picture) => Math.max(latest, picture.end), last + 1)
  return { times, duration: end - first }
}

function bytesOf(source: ArrayBufferView | ArrayBufferLike): Uint8Array {
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source)
}
