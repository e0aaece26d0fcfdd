import { readFile, stat } from "node:fs/promises"
import { basename, extname } from "node:path"
import { Fault, isFault } from "../firmware/errors.ts"
import { type Bytes, type FramesPerSecond, MiB, type Ticks90k } from "../firmware/units.ts"
import { type Footage, footageFromAnnexB } from "./footage.ts"

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
    if (!RAW_ENDINGS.includes(extname(path).toLowerCase())) {
      // Loaded now: most cameras show the scenes that come along, and start without a demuxer.
      const { demux } = await import("./demux.ts")
      const { footage, ...left } = await demux(path, name)
      return { footage, warnings: warningsOf(footage, left) }
    }
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
  // The demuxer's own words ("Assertion failed.") help nobody; they stay as the cause.
  const advice = "give an MP4, MOV, MKV or raw .h264 file that plays, or copy it again"
  return new Fault("malformed", `${name}: cannot be read as a film; ${advice}`, { cause })
}
