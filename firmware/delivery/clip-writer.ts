import type { ObjectKind, Segment, Trigger } from "../clip.ts"
import type { CameraConfig } from "../config.ts"
import { toJson } from "../control/json.ts"
import type { DecodableUnit } from "../media/annexb.ts"
import { still } from "../media/muxer.ts"
import type { Log } from "../ports.ts"
import type { Verdict } from "../recognise/verdict.ts"
import { type Bytes, KiB, millisecondsOf, type Ticks90k, type UnixMilliseconds } from "../units.ts"
import { floorAndSteps, nominalSegmentBytes, type PaddedSize, padJson, padme, sidecar } from "./padding.ts"
import type { Seal } from "./sealer.ts"
import type { Spool } from "./spool.ts"

export interface ClipParts {
  readonly seal: Seal
  readonly spool: Spool
  readonly log: Log
}

export interface AboutClip {
  readonly trigger: Trigger["kind"]
  /** By the camera's clock, and how wrong that may be. */
  readonly startedAt: { readonly at: UnixMilliseconds; readonly uncertainty: number }
}

/**
 * One clip on its way into the spool: each part is sealed and held as it is made, until the verdict; then released as
 * it comes, or discarded. Nothing of a discarded clip is ever listed, so it leaves no gap.
 */
export class ClipWriter {
  /** Random, 32 hex digits. */
  readonly id: string
  /** To which size segments are filled up. */
  readonly pad: PaddedSize
  readonly #padSidecar: PaddedSize
  readonly #parts: ClipParts
  readonly #held: string[] = []
  #verdict: Verdict | null = null
  #segments = 0
  #objects = 0
  #told = false
  #duration: Ticks90k = 0

  constructor(id: string, parts: ClipParts, { lens, recording, padding }: CameraConfig) {
    this.id = id
    this.#parts = parts
    const floor = floorAndSteps(nominalSegmentBytes({ ...lens, segmentMin: recording.segmentMin }))
    this.pad = padding === "economy" ? padme : floor
    // A still is part of a segment: with a floor, thumbnails and summaries have the segments' size too.
    this.#padSidecar = padding === "economy" ? sidecar : floor
  }

  /** A picture of so many bytes makes a thumbnail of the common size. */
  get pictureBytesMax(): Bytes {
    return this.#padSidecar(1) - NOTE_AND_BOXES
  }

  get discarded(): boolean {
    return this.#verdict?.keep === false
  }

  /** Safe when it resolves, seconds before the clip ends. */
  async addSegment(segment: Segment): Promise<void> {
    this.#segments++
    this.#duration += segment.duration
    await this.#add("segment", segment.bytes, segment)
  }

  /** The first verdict counts. */
  async decide(verdict: Verdict): Promise<void> {
    this.#verdict ??= verdict
    await this.#settle()
  }

  /**
   * Adds the thumbnail, once there are a picture and a verdict that keeps the clip: what was seen is at the owner while
   * it is still going on. What the summary will say of it stands in the picture's padding, so it costs nothing.
   */
  async tell(picture: DecodableUnit | null, about: AboutClip): Promise<void> {
    await this.#tell(picture, about, { index: this.#segments, last: false, padding: 0 })
  }

  async #tell(picture: DecodableUnit | null, about: AboutClip, place: Place): Promise<void> {
    if (this.#told || picture === null || !this.#verdict?.keep) return
    this.#told = true
    const { label, by } = this.#verdict
    const note = toJson({ clip: this.id, ...about, label, by })
    await this.#add("thumbnail", still(picture, this.#padSidecar, note), place)
  }

  /** Adds the summary, and the thumbnail if it is not there yet. Says whether anything was kept. */
  async close(picture: DecodableUnit | null, about: AboutClip, { label, by }: Verdict): Promise<boolean> {
    const [clip, segments] = [this.id, this.#segments]
    if (this.discarded) this.#parts.log.write({ event: "clip discarded", clip, segments })
    else if (segments === 0)
      this.#parts.log.write({ event: "clip lost", clip, reason: "the lens gave no key frame" })
    if (this.discarded || segments === 0) return false
    await this.#tell(picture, about, ALONE)
    const summary = { clip, ...about, duration: millisecondsOf(this.#duration), segments, label, by }
    await this.#add("summary", padJson(summary, this.#padSidecar))
    this.#parts.log.write({ event: "clip recorded", clip, segments, objects: this.#objects })
    return true
  }

  async #add(kind: ObjectKind, bytes: Uint8Array, { index, last, padding } = ALONE): Promise<void> {
    const { seal, spool, log } = this.#parts
    if (this.discarded) return
    const object = await seal({ kind, clip: this.id, index, last, bytes })
    if (this.discarded) return // the verdict came while it was sealed
    this.#objects++
    await spool.hold(object)
    this.#held.push(object.facts.id)
    await this.#settle()
    const sealedBytes: Bytes = object.facts.headerBytes + object.facts.payloadBytes
    log.write({ event: "object sealed", clip: this.id, kind, index, sealedBytes, paddingBytes: padding })
  }

  async #settle(): Promise<void> {
    if (!this.#verdict) return
    const ids = this.#held.splice(0)
    if (ids.length === 0) return
    if (this.#verdict.keep) await this.#parts.spool.release(ids)
    else await this.#parts.spool.discard(ids)
  }
}

type Place = Pick<Segment, "index" | "last" | "padding">

const NOTE_AND_BOXES: Bytes = 4 * KiB

/** What is not a segment is the only one of its kind. */
const ALONE: Place = { index: 0, last: true, padding: 0 }
