import type { EventEmitter } from "node:events"
import type { Duplex } from "node:stream"
import type { LogLine } from "./log.ts"
import type { Bytes, Milliseconds, Ticks90k, UnixMilliseconds } from "./units.ts"

/**
 * All the outside that a camera needs. The Pi builds one Board, the simulator builds thousands; nothing in
 * `firmware/` knows which it has. Clock, Random, Pins, Disk, Dialler and Frames each have one contract suite in `test/contract`;
 * where the Pi has its part already, it and the simulated one pass the same suite.
 *
 * Sealing is not a port.
 */
export interface Board {
  readonly clock: Clock
  readonly random: Random
  readonly pins: PinsIo
  readonly lens: Lens
  readonly disk: Disk
  readonly dialler: Dialler
  readonly health: Health
  readonly log: Log
  /** Pictures to recognise by, when the lens can. Absent: key frames are decoded, where there is a `decoder`. */
  readonly frames?: Frames
  /** Key frames to pictures. */
  readonly decoder?: KeyFrameDecoder
  /** A picture to boxes, when a model is there. */
  readonly detector?: Detector
}

export interface Clock {
  /** Time since an arbitrary start of this boot. Never falls, and no NTP step moves it. */
  monotonic(): Milliseconds
  /** The best guess of real time and how wrong it may be; `Infinity` before the first NTP answer. */
  real(): { readonly at: UnixMilliseconds; readonly uncertainty: Milliseconds }
  /** Resolves after `duration`, or early, without throwing, when `signal` aborts. */
  sleep(duration: Milliseconds, signal?: AbortSignal): Promise<void>
  /** Runs `task` once after `duration`. The returned function cancels; cancelling twice is harmless. */
  after(duration: Milliseconds, task: () => void): () => void
}

/** Jitter and schedules, never keys: those come from the platform's secure source, in the simulator too. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
}

/**
 * A johnny-five IO plugin. What firmware adds to the plugin interface is `driven`: johnny-five's writes return
 * nothing, and a recording light that is merely on its way is not on. And the event "undriven", with the pin's number:
 * an output that was driven is not any more, though nobody has written to it. It may come back by itself; `driven` says.
 */
export interface PinsIo extends EventEmitter {
  readonly name: string
  isReady: boolean
  /** Resolves once the last value written to `pin` is on the wire. Rejects with Fault "unavailable" if it cannot be. */
  driven(pin: number): Promise<void>
  /**
   * Blinks an output by itself until the next write to it: on for the first duration, off for the second, and so on,
   * then anew. An even count of durations of at least 50 ms. johnny-five's own blinking writes every edge, and on a Pi
   * a write is a process.
   */
  pattern(pin: number, durations: readonly Milliseconds[]): void
  /** Lets go of every pin and stops helper processes. */
  close(): Promise<void>
}

export interface Lens {
  /**
   * H.264 Annex B as it comes. The iteration ends when `signal` aborts.
   * Throws Fault "unavailable", indefinite, when the camera stops giving; the caller may call `pieces` again.
   */
  pieces(signal: AbortSignal): AsyncIterable<Piece>
  /**
   * Motion that the camera's own software sees, where it looks for it: true and false in turn, while `pieces` is read.
   * Beside the sensor on the pins, not instead of it. The returned function stops.
   */
  watchMotion?(onEdge: (moving: boolean, at: Milliseconds) => void): () => void
}

/** Some bytes of the stream: a pipe's read, split anywhere, or whole groups of pictures (GOPs). */
export interface Piece {
  readonly bytes: Uint8Array
  /** When it arrived, on the board's monotonic clock. */
  readonly at: Milliseconds
  /**
   * Times of the access units that *begin* in this piece, in order. Absent: the camera's nominal frame rate counts,
   * anchored on `at`. An access unit begins at the first byte of its first NAL unit's start code.
   */
  readonly timing?: readonly PictureTime[]
  /** Known to begin at the first byte of a key frame's access unit (true) or to hold no such beginning (false). Absent: look. */
  readonly startsKeyFrame?: boolean
  /** Known to end where an access unit ends, so nobody need wait for the next start code. */
  readonly endsUnit?: boolean
}

export interface PictureTime {
  readonly pts: Ticks90k
  readonly dts: Ticks90k
}

/**
 * Durable names to bytes. Names match /^[a-z0-9][a-z0-9.-]{0,119}$/ (Fault "usage" otherwise).
 * `private` is a second, separate area of the same kind for the identity; it is never listed by the first.
 */
export interface Disk extends Store {
  readonly private: Store
  /** Room left for `put`. */
  free(): Promise<Bytes>
}

export interface Store {
  /**
   * Writes `parts`, one after another, under `name`, replacing what was there as a whole.
   * Resolves only when the bytes survive a power cut. Rejects with Fault "full", definite, leaving what was there.
   * The caller gives the bytes away and must not change them afterwards.
   */
  put(name: string, parts: readonly Uint8Array[]): Promise<void>
  /** The bytes, or null if there is no such name. The caller must not change them. */
  get(name: string): Promise<Uint8Array | null>
  /** Durable like `put`. Removing what is not there is harmless. */
  remove(name: string): Promise<void>
  /** Whole entries only, sorted by name: half a put is never listed. */
  list(prefix: string): Promise<readonly StoreEntry[]>
}

export interface StoreEntry {
  readonly name: string
  readonly size: Bytes
}

export interface Dialler {
  /**
   * Opens one network connection to the camera's broker. Where that is, is the dialler's business; whom it must prove
   * to be is the caller's: `pin` is the SHA-256 (hex) of the broker's SPKI learnt at pairing, null before.
   * Rejects with Fault "unavailable", definite; with Fault "refused", definite, if the broker is not the pinned one.
   */
  dial(pin: string | null, signal: AbortSignal): Promise<Connection>
}

export interface Connection {
  /** Closing one side ends the other. */
  readonly stream: Duplex
  /** The TLS exporter of this connection (RFC 9266), 32 bytes; null on plain TCP, which is for loopback alone. */
  readonly binding: Uint8Array | null
}

export interface Health {
  read(): Promise<HealthReading>
}

/** null: this board cannot tell. */
export interface HealthReading {
  readonly temperatureCelsius: number | null
  readonly undervoltage: boolean | null
  readonly throttled: boolean | null
}

/** Structured lines from a closed vocabulary (`log.ts`): no line has a field for a secret. */
export interface Log {
  write(line: LogLine): void
}

export interface Frames {
  /**
   * What was seen since `from`, as far back as it is still there, in order and at once; then on as it comes, about one
   * picture a second. Nothing is drawn or decoded while nobody reads. Who reads slowly misses pictures, and is never
   * behind: the next is the newest. Ends, without throwing, when `signal` aborts.
   * Throws Fault "unavailable", indefinite, when there are no more for now.
   */
  frames(from: Milliseconds, signal: AbortSignal): AsyncIterable<Frame>
}

/** A small picture, upright, at most FRAME_SIDE_MAX pixels a side. The caller must not change its bytes. */
export interface Frame {
  /** When it was taken, on the monotonic clock; rises from frame to frame. */
  readonly at: Milliseconds
  /** At least 1. */
  readonly width: number
  readonly height: number
  /** One byte a pixel, row by row: width x height bytes, limited range (16 black, 235 white). */
  readonly luma: Uint8Array
  /** Half as wide and high, rounded up; 128 is grey. Absent: the picture has no colour. */
  readonly chroma?: { readonly blue: Uint8Array; readonly red: Uint8Array }
}

export const FRAME_SIDE_MAX = 1_280

export interface KeyFrameDecoder {
  /**
   * The picture of one key frame's access unit: Annex B with its parameter sets. Scaled down to about 640 pixels wide
   * where it is larger. Rejects with Fault "malformed" or "unsupported", definite; "unavailable" when `signal` aborts.
   */
  decode(keyFrame: Uint8Array, at: Milliseconds, signal: AbortSignal): Promise<Frame>
}

export interface Detector {
  /**
   * Boxes in `frame`, best first; the same picture gives the same boxes. One call at a time. Ends soon after `signal`
   * aborts, with anything. Rejects with Fault "unavailable" when it cannot look just now.
   */
  detect(frame: Frame, signal: AbortSignal): Promise<readonly Box[]>
}

/** Edges as fractions of the picture, in [0, 1]; `score` in [0, 1]. */
export interface Box {
  readonly label: Label
  readonly score: number
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
  /** Of a vehicle: it was named as another lifeless thing, and counts only where it travels (`recognise/travel.ts`). */
  readonly thing?: true
}

export type Label = "person" | "animal" | "vehicle"
