import { readFile, stat } from "node:fs/promises"
import { basename, extname } from "node:path"
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
import { Fault, isFault } from "../firmware/errors.ts"
import type { PictureTime } from "../firmware/ports.ts"
import { type Bytes, type FramesPerSecond, MiB, type Ticks90k } from "../firmware/units.ts"
import { annexBFromAvc, parseAvcConfiguration } from "./avc.ts"
import { type Footage, footageFromAnnexB, footageOf } from "./footage.ts"
import { cutUnits } from "./units.ts"

export interface Film {
  readonly footage: Footage
  /** What a person should know of the film, one line each. */
  readonly warnings: readonly string[]
}

/** A film is held in memory, once for all cameras. */
const FILM_BYTES_MAX: Bytes = 1024 * MiB
const RAW_ENDINGS = [".h264", ".264", ".avc"]
/** A pre-roll cannot begin inside a group of pictures. */
const LONG_GROUP: Ticks90k = 90_000 * 4

/**
 * A developer's own film as footage, not encoded again: `.mp4`, `.mov`, `.mkv`, or a raw `.h264`. Only a raw stream
 * heeds `framesPerSecond`; without it, it runs as its parameter sets say, or at 25. A film that was cut short gives
 * what is whole, with a warning.
 *
 * @throws Fault with one line that says what to do, definite. "usage": no such file, or one too large; "malformed":
 *         empty, no video, no key frame; "unsupported": audio only, another codec, interlaced.
 */
export async function loadFilm(
  path: string,
  options: { framesPerSecond?: FramesPerSecond } = {},
): Promise<Film> {
  const name = basename(path)
  await checkFile(path, name)
  try {
    if (!RAW_ENDINGS.includes(extname(path).toLowerCase())) return await demux(path, name)
    const footage = footageFromAnnexB(name, await readFile(path), options.framesPerSecond ?? null)
    return { footage, warnings: warningsOf(footage) }
  } catch (cause) {
    throw explained(cause, name)
  }
}

async function checkFile(path: string, name: string): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new Fault("usage", `${name}: cannot be opened; check that the file is there and may be read`, {
      cause,
    })
  })
  if (!found.isFile()) throw new Fault("usage", `${name}: is no file; give one film`)
  if (found.size === 0) throw new Fault("malformed", `${name}: is empty; give another film`)
  if (found.size > FILM_BYTES_MAX)
    throw new Fault("usage", `${name}: is larger than 1 GiB; cut it shorter first`)
}

async function demux(path: string, name: string): Promise<Film> {
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

async function footageOfTrack(track: InputVideoTrack, name: string): Promise<Film> {
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
  return { footage, warnings: warningsOf(footage, { lost, skipped }) }
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

function warningsOf({ name, groups }: Footage, { lost = 0, skipped = 0 } = {}): string[] {
  const longest = groups.reduce((most, group) => Math.max(most, group.duration), 0)
  const warnings: string[] = []
  if (lost > 0) warnings.push(`${name}: was cut short; ${lost} pictures are missing from its end`)
  if (skipped > 0) warnings.push(`${name}: ${skipped} pictures before the first key frame are left out`)
  if (longest > LONG_GROUP)
    warnings.push(
      `${name}: up to ${(longest / 90_000).toFixed(1)} s between key frames; pre-roll and segments follow`,
    )
  return warnings
}

/** Every fault of a film as one line that begins with its name. */
function explained(cause: unknown, name: string): Fault {
  if (isFault(cause)) return new Fault(cause.kind, `${name}: ${cause.message}`, { cause })
  if (cause instanceof UnsupportedInputFormatError)
    return new Fault("malformed", `${name}: is no film; give an MP4, MOV, MKV or raw .h264 file`, { cause })
  // The demuxer's own words ("Assertion failed.") help nobody; they stay as the cause.
  const advice = "give an MP4, MOV, MKV or raw .h264 file that plays, or copy it again"
  return new Fault("malformed", `${name}: cannot be read as a film; ${advice}`, { cause })
}

function bytesOf(source: ArrayBufferView | ArrayBufferLike): Uint8Array {
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source)
}
