import type { Bytes, Milliseconds, Ticks90k } from "./units.ts"

/**
 * The nouns of a clip's life, in the order in which they come to be:
 *
 *   piece -> access unit -> segment -> sealed object -> entry of a manifest -> receipt
 *
 * A clip is one event: pre-roll, the motion, post-roll. It is cut into segments; each is sealed into an object as it
 * is made. A thumbnail and a summary are objects of the same clip.
 */

/**
 * A NAL unit's bytes in order, header byte first: in one part, or in several where it spans large pieces. Where there
 * are several, the first has at least 64 bytes.
 */
export type NalUnit = readonly [Uint8Array, ...Uint8Array[]]

/** One coded picture with everything that belongs to it (ISO/IEC 14496-10 §7.4.1.2.3). */
export interface AccessUnit {
  /** In order, without start codes and trailing zeros. */
  readonly nals: readonly NalUnit[]
  /** Holds an IDR picture, so decoding may start here. */
  readonly keyFrame: boolean
  readonly pts: Ticks90k
  readonly dts: Ticks90k
  /** When the piece in which it began arrived, on the monotonic clock. */
  readonly at: Milliseconds
}

/** What woke the camera. `at` is on the monotonic clock. */
export interface Trigger {
  readonly kind: "motion" | "bell"
  readonly at: Milliseconds
}

/**
 * A muxed run of access units: `[ftyp moov] moof mdat [free]`. It begins with a key frame, unless a group of pictures is
 * so large that it had to be cut to keep memory bounded.
 */
export interface Segment {
  readonly index: number
  /** Plaintext, padded. It lives in memory between muxer and sealer and nowhere else. */
  readonly bytes: Uint8Array
  /** How many of `bytes` are padding. */
  readonly padding: Bytes
  readonly units: number
  readonly duration: Ticks90k
  /** The clip ends with this segment. */
  readonly last: boolean
}

export type ObjectKind = "segment" | "thumbnail" | "summary"

/**
 * What the camera's manifest says of one sealed object. Hashes are SHA-256, lower-case hex.
 * The payload hash survives re-wrapping for another reader; the header hash is of the original header, for a damaged
 * header would be lost for ever.
 */
export interface ObjectFacts {
  /** Random, 32 hex digits: the object's name everywhere. */
  readonly id: string
  readonly kind: ObjectKind
  /** Random, 32 hex digits. */
  readonly clip: string
  /**
   * Of segments: position in the clip. Of a thumbnail that comes while the clip goes on: how many segments came before
   * it; after a power cut it may be all that tells. 0 for the others.
   */
  readonly index: number
  /** The clip ends with this segment; of the others: the clip had ended when it came. */
  readonly last: boolean
  readonly headerBytes: Bytes
  readonly payloadBytes: Bytes
  readonly headerHash: string
  readonly payloadHash: string
  /** HKDF(file key, "commit"), hex: ChaCha20-Poly1305 alone does not commit to its key. */
  readonly commit: string
}
