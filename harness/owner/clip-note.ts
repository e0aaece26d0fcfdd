import { z } from "zod"
import { fromJson } from "../../firmware/control/json.ts"
import { objectId } from "../../firmware/control/protocol.ts"
import { Fault } from "../../firmware/errors.ts"

/** What a camera knows of a clip when it has seen enough to tell its owner; the summary says it again, and more. */
export const clipNoteShape = z.object({
  clip: objectId,
  trigger: z.enum(["motion", "bell"]),
  /** Unix milliseconds by the camera's clock, and how wrong that may be; null: the camera did not know. */
  startedAt: z.object({ at: z.number(), uncertainty: z.number().nullable() }),
  label: z.enum(["person", "animal", "vehicle"]).nullable(),
  by: z.string().max(40),
})
export type ClipNote = z.infer<typeof clipNoteShape>

const BOX_HEADER_BYTES = 8
const NOTE_BYTES_MAX = 4_096

/**
 * Reads the note in the padding of a thumbnail: the last box is a `free` box that begins with JSON, then zeros.
 * null: there is none, as in thumbnails of older cameras. @throws Fault "malformed", definite: not a thumbnail.
 */
export function noteOf(thumbnail: Uint8Array): ClipNote | null {
  const body = paddingOf(thumbnail).subarray(BOX_HEADER_BYTES)
  const end = body.indexOf(0)
  const note = end < 0 ? body : body.subarray(0, end)
  return note.length === 0 ? null : fromJson(note, clipNoteShape, "clip note", NOTE_BYTES_MAX)
}

/** The thumbnail without padding and note: a view. @throws Fault "malformed", definite: not a thumbnail. */
export function pictureOf(thumbnail: Uint8Array): Buffer {
  const bytes = Buffer.from(thumbnail.buffer, thumbnail.byteOffset, thumbnail.length)
  return bytes.subarray(0, bytes.length - paddingOf(thumbnail).length)
}

/** The `free` box at the end, header and all; empty where there is none. */
function paddingOf(thumbnail: Uint8Array): Buffer {
  const bytes = Buffer.from(thumbnail.buffer, thumbnail.byteOffset, thumbnail.length)
  let last = bytes.subarray(bytes.length)
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.length - at < BOX_HEADER_BYTES ? 0 : bytes.readUInt32BE(at)
    if (size < BOX_HEADER_BYTES || size > bytes.length - at)
      throw new Fault("malformed", "not a thumbnail: a box that does not fit")
    last = bytes.subarray(at, at + size)
    at += size
  }
  return last.toString("latin1", 4, BOX_HEADER_BYTES) === "free" ? last : bytes.subarray(bytes.length)
}
