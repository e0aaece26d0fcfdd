import { NAL, nalType } from "./nals.ts"

/**
 * The mark that a virtual camera puts before each of its key frames, so that a judge who opens a clip can tell whose
 * picture it is and compare it with its source. An SEI message, user_data_unregistered
 * (ISO/IEC 14496-10 §7.3.2.3.1, §D.1.7):
 *
 *   06 · 05 · size · UUID (16) · version (1) · camera (5) · group (5) · canary (UTF-8) · 80
 *
 * Numbers are five times seven bits, each with its highest bit set, so that there is no zero byte anywhere and nothing
 * for emulation prevention (§7.4.1.1) to do: ten thousand cameras write as many marks a second.
 *
 * The canary is a text that must never be found outside a sealed object.
 */
export interface Mark {
  /** The camera's index, 0 to 2^32 - 1. */
  readonly camera: number
  /** Counts the groups of pictures since the lens began, 0 to 2^32 - 1. */
  readonly group: number
  /** At most CANARY_BYTES_MAX bytes, none of them 0. */
  readonly canary: string
}

const START_CODE_BYTES = 4
/** In the NAL unit: header, type, size, UUID, version. */
const UUID_AT = 3
const VERSION_AT = UUID_AT + 16
const CAMERA_AT = VERSION_AT + 1
const NUMBER_BYTES = 5
const GROUP_AT = CAMERA_AT + NUMBER_BYTES
const CANARY_AT = GROUP_AT + NUMBER_BYTES
/** One size byte holds what follows it, but for the trailing bits (§7.3.2.3.1: 255 would mean that more follow). */
export const CANARY_BYTES_MAX = 254 - (CANARY_AT - UUID_AT)

const UUID = Buffer.from("9c2f5e0a71d84b3fa6e4630b5c18d2f7", "hex")
const VERSION = 2
const USER_DATA_UNREGISTERED = 5

/** A camera's mark but for the number of the group, behind a 4-byte start code. */
export function markTemplate({ camera, canary }: Omit<Mark, "group">): Uint8Array {
  const text = Buffer.from(canary, "utf8")
  const whole = new Uint8Array(START_CODE_BYTES + CANARY_AT + text.length + 1)
  const nal = whole.subarray(START_CODE_BYTES)
  whole[START_CODE_BYTES - 1] = 1
  nal[0] = NAL.sei
  nal[1] = USER_DATA_UNREGISTERED
  nal[2] = CANARY_AT - UUID_AT + text.length
  nal.set(UUID, UUID_AT)
  nal[VERSION_AT] = VERSION
  writeNumber(nal, CAMERA_AT, camera)
  nal.set(text, CANARY_AT)
  nal[CANARY_AT + text.length] = 0x80
  return whole
}

/** The mark of `group`, and `before` before it. As long as all others of its camera. */
export function writeMark(template: Uint8Array, group: number, before: Uint8Array): Uint8Array {
  const whole = new Uint8Array(before.length + template.length)
  whole.set(before)
  whole.set(template, before.length)
  writeNumber(whole, before.length + START_CODE_BYTES + GROUP_AT, group)
  return whole
}

/** A whole mark, behind its start code. */
export function writeSei({ group, ...camera }: Mark): Uint8Array {
  return writeMark(markTemplate(camera), group, new Uint8Array())
}

/** null for any NAL unit that is not such a mark. */
export function readSei(nal: Uint8Array): Mark | null {
  const last = nal.length - 1
  if (nalType(nal) !== NAL.sei || last < CANARY_AT || nal[last] !== 0x80) return null
  if (nal[1] !== USER_DATA_UNREGISTERED || nal[2] !== last - UUID_AT || nal[VERSION_AT] !== VERSION)
    return null
  if (Buffer.compare(nal.subarray(UUID_AT, VERSION_AT), UUID) !== 0) return null
  const canary = Buffer.from(nal.buffer, nal.byteOffset + CANARY_AT, last - CANARY_AT).toString("utf8")
  return { camera: readNumber(nal, CAMERA_AT), group: readNumber(nal, GROUP_AT), canary }
}

function writeNumber(bytes: Uint8Array, at: number, value: number): void {
  for (let i = NUMBER_BYTES - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 128))
    bytes[at + i] = 0x80 | (rest % 128)
}

function readNumber(bytes: Uint8Array, at: number): number {
  let value = 0
  for (let i = 0; i < NUMBER_BYTES; i++) value = value * 128 + ((bytes[at + i] ?? 0) & 0x7f)
  return value
}
