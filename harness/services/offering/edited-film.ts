import { spawn } from "node:child_process"
import { once } from "node:events"
import { Fault, messageOf } from "../../../firmware/errors.ts"
import { AccessUnitParser, type DecodableUnit } from "../../../firmware/media/annexb.ts"
import { NAL, nalType } from "../../../firmware/media/nal.ts"
import { type FilmCopy, filmCopy, filmOfUnits, pictureSize } from "./film-copy.ts"

/** In pixels from the picture's upper left corner; even numbers, as H.264's colours want. */
export interface Area {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** What the owner does to a copy before anybody gets it. */
export interface Edit {
  /** All else of the picture goes. */
  readonly crop?: Area
  /** Each becomes coarse beyond recognition. */
  readonly blur?: readonly Area[]
}

/** @throws Fault "usage", definite: not four whole numbers, of which the first two are even. */
export function parseArea(text: string): Area {
  const [x = 0, y = 0, width = 0, height = 0] = /^\d+(,\d+){3}$/.test(text) ? text.split(",").map(Number) : []
  const isArea =
    [x, y, width, height].every((each) => each % 2 === 0 && each <= 16_384) && width >= 16 && height >= 16
  if (!isArea)
    throw new Fault("usage", "an area is x,y,width,height in even numbers, at least 16 wide and high")
  return { x, y, width, height }
}

const FRAMES_PER_SECOND = 10

/**
 * A copy with parts of its pictures gone or blurred, which takes a decoder and an encoder: ffmpeg's, if it is installed.
 * It runs here, at the owner's; it gets the film by a pipe and gives pictures back by one, so nothing lies on a disk.
 * Ten pictures a second are left.
 *
 * @throws Fault "usage", definite: no ffmpeg, or an area outside the picture; else as `filmCopy`.
 */
export async function editedFilm(film: FilmCopy, edit: Edit): Promise<FilmCopy> {
  const size = pictureSize(film.bytes)
  for (const area of [...(edit.crop ? [edit.crop] : []), ...(edit.blur ?? [])])
    if (area.x + area.width > size.width || area.y + area.height > size.height)
      throw new Fault("usage", `the picture has ${size.width} x ${size.height}: an area of it ends within`)
  const stream = await filtered(film.bytes, filterOf(edit))
  const parser = new AccessUnitParser({ framesPerSecond: FRAMES_PER_SECOND, onFlaw: () => undefined })
  const units = [...parser.push({ bytes: stream, at: 0 }), ...parser.flush()]
  return filmOfUnits(units.map((unit, number) => withPicturesAlone(unit, number)))
}

function withPicturesAlone(unit: DecodableUnit, number: number): DecodableUnit {
  const time = (number * 90_000) / FRAMES_PER_SECOND
  const nals = unit.nals.filter(([first]) => [NAL.slice, NAL.idr].some((type) => type === nalType(first)))
  return { ...unit, nals, dts: time, pts: time }
}

/** For ffmpeg's -filter_complex. A blurred area is made of blocks of a sixteenth of it, so that no filter brings it back. */
function filterOf({ crop, blur = [] }: Edit): string {
  const steps = [`[0:v]fps=${FRAMES_PER_SECOND}[v0]`]
  blur.forEach(({ x, y, width, height }, n) => {
    const coarse = `crop=${width}:${height}:${x}:${y}:exact=1,scale=4:4:flags=area,scale=${width}:${height}:flags=neighbor`
    steps.push(
      `[v${n}]split[a${n}][b${n}]`,
      `[b${n}]${coarse}[c${n}]`,
      `[a${n}][c${n}]overlay=${x}:${y}[v${n + 1}]`,
    )
  })
  const last = crop ? `crop=${crop.width}:${crop.height}:${crop.x}:${crop.y}:exact=1` : "null"
  return [...steps, `[v${blur.length}]${last}[out]`].join(";")
}

/** Annex B without pictures that wait for others. */
async function filtered(film: Uint8Array, filter: string): Promise<Buffer> {
  const options = "-hide_banner -loglevel error -f mp4 -i pipe:0".split(" ")
  const encode =
    "-map [out] -an -c:v libx264 -preset veryfast -crf 23 -bf 0 -g 20 -pix_fmt yuv420p -bsf:v filter_units=remove_types=6 -f h264 pipe:1"
  const program = spawn("ffmpeg", [...options, "-filter_complex", filter, ...encode.split(" ")], {
    stdio: ["pipe", "pipe", "pipe"],
  })
  const pieces: Buffer[] = []
  let complaint = ""
  program.stdout.on("data", (piece: Buffer) => pieces.push(piece))
  program.stderr.on("data", (piece: Buffer) => {
    complaint = `${complaint}${piece}`.slice(0, 2_000)
  })
  // It may have had enough before all is written; how it ends says whether that was well.
  program.stdin.on("error", () => undefined)
  program.stdin.end(film)
  try {
    const [code] = await once(program, "close")
    if (code === 0) return Buffer.concat(pieces)
  } catch (cause) {
    const advice = "install it (Debian: apt install ffmpeg), or leave parts out with --from and --to"
    throw new Fault("usage", `crop and blur need ffmpeg (${messageOf(cause)}): ${advice}`, { cause })
  }
  const [line = "no reason given"] = complaint.split("\n").filter((each) => each.trim() !== "")
  throw new Fault("usage", `ffmpeg does not do that: ${line.replace(/\p{C}/gu, " ").slice(0, 200)}`)
}

/** @throws as `filmCopy` and `editedFilm`. */
export async function preparedFilm(
  clip: Uint8Array,
  stretch: Parameters<typeof filmCopy>[1],
  edit: Edit,
): Promise<FilmCopy> {
  const copy = filmCopy(clip, stretch)
  return edit.crop || edit.blur?.length ? editedFilm(copy, edit) : copy
}
