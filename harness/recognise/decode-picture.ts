import { readFile, stat } from "node:fs/promises"
import { basename } from "node:path"
import { Fault, isFault } from "../../firmware/errors.ts"
import type { Frame } from "../../firmware/ports.ts"
import { loadAv } from "../../hardware/detector/av.ts"
import { decodeOne, type PictureCodec } from "../../hardware/detector/one-picture.ts"

const PICTURE_BYTES_MAX = 256 * 2 ** 20

/**
 * A picture file as a frame: upright as its EXIF says, its longer side at most 640 pixels, `at` 0.
 * @throws Fault, definite, one line that begins with the file's name. "usage": it cannot be read; "malformed": no picture,
 *         or a damaged one; "unsupported": nothing here decodes it.
 */
export async function decodePicture(path: string): Promise<Frame> {
  const name = basename(path)
  const bytes = await readPicture(path, name)
  try {
    const codec = codecOf(bytes)
    if (!codec) throw new Fault("malformed", "is no picture: give a JPEG, PNG, WebP, GIF, TIFF or BMP")
    return decodeOne(await loadAv(), codec, bytes, 0)
  } catch (cause) {
    if (!isFault(cause)) throw cause
    throw new Fault(cause.kind, `${name}: ${cause.message}`, { cause })
  }
}

async function readPicture(path: string, name: string): Promise<Buffer> {
  const found = await stat(path).catch(() => null)
  if (!found?.isFile()) throw new Fault("usage", `${name}: cannot be opened; check that the file is there`)
  if (found.size === 0) throw new Fault("malformed", `${name}: is empty`)
  if (found.size > PICTURE_BYTES_MAX) throw new Fault("unsupported", `${name}: is larger than 256 MiB`)
  return readFile(path).catch((cause: unknown) => {
    throw new Fault("usage", `${name}: cannot be read; check that you may`, { cause })
  })
}

/** By its first bytes: endings lie. null: nothing known. */
export function codecOf(bytes: Uint8Array): Exclude<PictureCodec, "H264"> | null {
  const begin = Buffer.from(bytes.subarray(0, 12)).toString("latin1")
  if (begin.startsWith("\xff\xd8\xff")) return "MJPEG"
  if (begin.startsWith("\x89PNG\r\n\x1a\n")) return "PNG"
  if (begin.startsWith("RIFF") && begin.endsWith("WEBP")) return "WEBP"
  if (begin.startsWith("GIF8")) return "GIF"
  if (begin.startsWith("II*\0") || begin.startsWith("MM\0*")) return "TIFF"
  return begin.startsWith("BM") ? "BMP" : null
}
