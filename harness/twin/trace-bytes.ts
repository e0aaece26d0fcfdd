import { type CameraConfig, parseConfig } from "../../firmware/config.ts"
import { fromJson, toJson } from "../../firmware/control/json.ts"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { type Bytes, KiB, MiB } from "../../firmware/units.ts"
import { type Begin, beginShape, NO_BYTES, recordShape, type Trace, type TraceRecord } from "./trace.ts"

/**
 * A trace as bytes, before it is sealed:
 *
 *   "obscura twin trace 1" LF · frame { head length u32 · bytes length u32 · head (JSON) · bytes }*
 *
 * The first frame's head is `Begin`, the last one's {"end": number of records}; in between there is one for each record.
 */

const NAME = "obscura twin trace"
const VERSION = 1
const MAGIC = Buffer.from(`${NAME} ${VERSION}\n`)
const LENGTHS_BYTES = 8
const HEAD_BYTES_MAX: Bytes = 256 * KiB
/** More than the longest segment. */
const RECORD_BYTES_MAX: Bytes = 64 * MiB
export const TRACE_BYTES_MAX: Bytes = 1_024 * MiB

/** In parts, in order: those of the records are not copied. */
export function* traceParts({ begin, records }: Trace): Generator<Uint8Array> {
  yield MAGIC
  yield* frame(begin, NO_BYTES)
  for (const { bytes, ...head } of records) yield* frame(head, bytes)
  yield* frame({ end: records.length }, NO_BYTES)
}

function* frame(head: object, bytes: Uint8Array): Generator<Uint8Array> {
  const json = toJson(head)
  const lengths = Buffer.alloc(LENGTHS_BYTES)
  lengths.writeUInt32BE(json.length, 0)
  lengths.writeUInt32BE(bytes.length, 4)
  yield lengths
  yield json
  if (bytes.length > 0) yield bytes
}

/**
 * The bytes of the records are views.
 * @throws Fault "malformed", definite: no trace, or not a whole one. Fault "unsupported", definite: another version's.
 */
export function decodeTrace(bytes: Uint8Array): Trace {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const frames = framesOf(file, magicEnd(file))
  const [first, ...others] = frames
  const last = others.pop()
  if (!first || !last) throw malformed("it has no beginning and no end")
  if (endOf(last) !== others.length) throw malformed("it is cut short")
  const records = others.map(({ head, bytes }, index): TraceRecord => {
    return { ...fromJson(head, recordShape, `trace: record ${index + 1}`, HEAD_BYTES_MAX), bytes }
  })
  let now = 0
  for (const record of records) {
    // What the owner opened afterwards has the times of its clips.
    if (record.port === "cloud") continue
    if (record.at < now) throw malformed(`a record at ${record.at} ms comes after one at ${now} ms`)
    now = record.at
  }
  return { begin: beginOf(first), records }
}

interface Frame {
  readonly head: Uint8Array
  readonly bytes: Uint8Array
}

function magicEnd(file: Buffer): number {
  if (file.subarray(0, MAGIC.length).equals(MAGIC)) return MAGIC.length
  const [, version] = new RegExp(`^${NAME} (\\d{1,6})\n`).exec(file.toString("latin1", 0, 40)) ?? []
  if (version !== undefined)
    throw new Fault(
      "unsupported",
      `a trace of version ${version}, and this obscura reads version ${VERSION}: record it anew`,
    )
  throw malformed(`it does not begin with "${NAME}"`)
}

function framesOf(file: Buffer, from: number): Frame[] {
  const frames: Frame[] = []
  for (let at = from; at < file.length; ) {
    if (file.length - at < LENGTHS_BYTES) throw malformed("it is cut short")
    const [headBytes, bodyBytes] = [file.readUInt32BE(at), file.readUInt32BE(at + 4)]
    if (headBytes > HEAD_BYTES_MAX || bodyBytes > RECORD_BYTES_MAX)
      throw malformed(`record ${frames.length} is larger than any of ours`)
    const head = at + LENGTHS_BYTES
    const end = head + headBytes + bodyBytes
    if (end > file.length) throw malformed("it is cut short")
    frames.push({ head: file.subarray(head, head + headBytes), bytes: file.subarray(head + headBytes, end) })
    at = end
  }
  return frames
}

function beginOf(frame: Frame): Begin {
  const begin = fromJson(frame.head, beginShape, "trace: its beginning", HEAD_BYTES_MAX)
  return { ...begin, config: configOf(begin.config) }
}

function configOf(input: unknown): CameraConfig {
  try {
    return parseConfig(input)
  } catch (cause) {
    throw malformed(messageOf(cause), cause)
  }
}

/** How many records there should be; null: that frame is no end. */
function endOf({ head }: Frame): number | null {
  const [, count] = /^\{"end":(\d{1,9})\}$/.exec(Buffer.from(head).toString("latin1")) ?? []
  return count === undefined ? null : Number(count)
}

function malformed(why: string, cause?: unknown): Fault {
  return new Fault("malformed", `not a trace of obscura: ${why}`, cause === undefined ? {} : { cause })
}
