import { randomBytes } from "node:crypto"
import type { Trigger } from "./clip.ts"
import type { CameraConfig } from "./config.ts"
import { ClipWriter } from "./delivery/clip-writer.ts"
import type { Seal } from "./delivery/sealer.ts"
import type { Spool } from "./delivery/spool.ts"
import { Fault, isFault } from "./errors.ts"
import type { DecodableUnit } from "./media/annexb.ts"
import type { Ring } from "./media/ring.ts"
import { segmentsOf } from "./media/segments.ts"
import type { MotionEvent } from "./pins/events.ts"
import type { Pins } from "./pins/pins.ts"
import type { Board } from "./ports.ts"
import { coveredPicture } from "./recognise/covered.ts"
import type { Eyes } from "./recognise/eyes.ts"
import type { Verdict } from "./recognise/verdict.ts"
import { type Milliseconds, seconds } from "./units.ts"

export interface RecordParts {
  readonly pins: Pins
  readonly ring: Ring
  readonly seal: Seal
  readonly spool: Spool
  readonly eyes: Eyes
  readonly board: Pick<Board, "clock" | "log">
}

const LIGHT_AGAIN_AFTER: Milliseconds = seconds(1)

/**
 * Motion or bell -> pre-roll ring -> mux -> seal -> spool (held) -> verdict -> release or discard; for each event until
 * `signal` aborts. A clip that is being recorded then is closed properly, not lost; so is one whose recording light goes
 * out, and the next begins once the light is on again.
 */
export async function record(parts: RecordParts, config: CameraConfig, signal: AbortSignal): Promise<void> {
  let shownUntil: Milliseconds = Number.NEGATIVE_INFINITY
  for await (const event of parts.pins.events(signal)) {
    const over = new AbortController()
    const end = () => over.abort()
    const lost = () => {
      tell(parts, new Fault("unavailable", "it went out while a clip was recorded, which ends"))
      end()
    }
    const dark = await lightFor(parts, lost, signal) // the pin is driven now: frames may leave the ring
    if (!dark) continue
    signal.addEventListener("abort", end, { once: true })
    if (signal.aborted) end()
    try {
      // Motion that outlasts a clip goes on in the next, which need not show the same seconds again.
      const from = Math.max(event.trigger.at - config.recording.preRoll, shownUntil)
      shownUntil = (await recordClip(parts, config, event, from, over.signal)) ?? shownUntil
    } finally {
      signal.removeEventListener("abort", end)
      dark()
      event.close()
    }
  }
}

/** Resolves with the arrival of the clip's last picture; null if nothing of it was kept. */
async function recordClip(
  { ring, seal, spool, eyes, board }: RecordParts,
  config: CameraConfig,
  event: MotionEvent,
  from: Milliseconds,
  signal: AbortSignal,
): Promise<Milliseconds | null> {
  const { recording } = config
  const { clock, log } = board
  const clip = new ClipWriter(randomBytes(16).toString("hex"), { seal, spool, log }, config)
  const about = { trigger: event.trigger.kind, startedAt: clock.real() }
  log.write({ event: "clip opened", clip: clip.id, trigger: about.trigger })
  const verdict = verdictOn(clip, () => eyes.judge(event.trigger, recording.verdictWithin, signal), log)
  verdict.catch(() => undefined) // it is awaited below; until then a failure must not count as unhandled

  const picture = new BestPicture(event.trigger)
  const shown =
    config.recognise.masks.length > 0 ? new Covered(eyes, event, clip, recording, signal) : picture
  for await (const segment of segmentsOf(picture.among(ring.from(from, signal)), {
    segmentMin: recording.segmentMin,
    clipMax: recording.clipMax,
    pad: clip.pad,
    until: () => clip.discarded || isOver(event, picture.takenAfter, recording.postRoll),
    onLongGroup: (duration) => log.write({ event: "long group of pictures", duration }),
    onFlaw: (reason) => log.write({ event: "media skipped", reason, count: 1 }),
  })) {
    await clip.addSegment(segment)
    await clip.tell(shown.settled, about)
  }

  const settled = await verdict
  const kept = await clip.close(await shown.last(), about, settled)
  return kept ? picture.latest : null
}

/** Puts the recording light on. null: it does not follow, so nothing may be recorded; asked again after a while. */
async function lightFor(
  parts: RecordParts,
  onLost: () => void,
  signal: AbortSignal,
): Promise<(() => void) | null> {
  try {
    return await parts.pins.light.hold("recording", onLost)
  } catch (error) {
    if (!isFault(error, "unavailable")) throw error
    tell(parts, error)
    await parts.board.clock.sleep(LIGHT_AGAIN_AFTER, signal)
    return null
  }
}

function tell({ board }: RecordParts, { kind, message }: Fault): void {
  board.log.write({ event: "fault", where: "light", kind, reason: message })
}

/** Tells `clip` the verdict as soon as it is known. */
async function verdictOn(
  clip: ClipWriter,
  judge: () => Promise<Verdict>,
  log: Board["log"],
): Promise<Verdict> {
  const verdict = await judge()
  log.write({ event: "verdict", clip: clip.id, keep: verdict.keep, by: verdict.by })
  await clip.decide(verdict)
  return verdict
}

/** Post-roll is over: the motion ended at least that long before this picture was taken. */
function isOver(event: MotionEvent, takenAfter: Milliseconds, postRoll: Milliseconds): boolean {
  const quiet = event.quietSince()
  return quiet !== null && takenAfter >= quiet + postRoll
}

/** What a clip is shown by where there are privacy masks: no key frame of the lens, which knows of none. */
class Covered {
  settled: DecodableUnit | null = null
  readonly #coming: Promise<void>

  constructor(
    eyes: Eyes,
    { trigger }: MotionEvent,
    { pictureBytesMax }: ClipWriter,
    { verdictWithin }: CameraConfig["recording"],
    signal: AbortSignal,
  ) {
    this.#coming = eyes.covered(trigger, verdictWithin, signal).then((frame) => {
      this.settled = coveredPicture(frame, trigger.at, pictureBytesMax)
    })
    this.#coming.catch(() => undefined) // `last` awaits it; until then a failure must not count as unhandled
  }

  async last(): Promise<DecodableUnit | null> {
    await this.#coming
    return this.settled
  }
}

/** The first key frame at or after the trigger; before that, the latest one. */
class BestPicture {
  readonly #trigger: Trigger
  taken: DecodableUnit | null = null
  /** When the newest picture seen here arrived. */
  latest: Milliseconds = Number.NEGATIVE_INFINITY
  /** It was taken after this: when a lens gives whole groups of pictures, arrival says little of the first in each. */
  takenAfter: Milliseconds = Number.NEGATIVE_INFINITY

  constructor(trigger: Trigger) {
    this.#trigger = trigger
  }

  /** null: a better one may come. */
  get settled(): DecodableUnit | null {
    return this.taken !== null && this.taken.at >= this.#trigger.at ? this.taken : null
  }

  /** The best there was. */
  async last(): Promise<DecodableUnit | null> {
    return this.taken
  }

  async *among(units: AsyncIterable<DecodableUnit>): AsyncGenerator<DecodableUnit> {
    for await (const unit of units) {
      if (unit.keyFrame && (this.taken === null || this.taken.at < this.#trigger.at)) this.taken = unit
      if (unit.at > this.latest) this.takenAfter = this.latest
      this.latest = unit.at
      yield unit
    }
  }
}
