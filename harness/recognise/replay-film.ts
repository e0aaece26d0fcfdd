import type { CameraConfig } from "../../firmware/config.ts"
import type { Box, Detector, Frame } from "../../firmware/ports.ts"
import { inPlace } from "../../firmware/recognise/count.ts"
import { Masks } from "../../firmware/recognise/mask.ts"
import { Motion, type MotionKind } from "../../firmware/recognise/motion.ts"
import {
  EARLY,
  frameFlaw,
  Recogniser,
  type Recognition,
  type StageSaid,
  type Verdict,
} from "../../firmware/recognise/recognise.ts"
import type { RecogniseSettings } from "../../firmware/recognise/settings.ts"
import { Travel } from "../../firmware/recognise/travel.ts"
import type { Milliseconds, Seconds } from "../../firmware/units.ts"
import { type Presence, Stretches } from "./film-events.ts"
import type { FilmEvent, FilmVerdict, Moment, SeenBox } from "./result.ts"
import { TimedDetector } from "./timed-detector.ts"

export interface Replayed {
  readonly moments: readonly Moment[]
  readonly verdicts: readonly FilmVerdict[]
  readonly events: readonly FilmEvent[]
  /** Pictures that were looked at, and how many the detector was asked about. */
  readonly pictures: number
  readonly asked: number
}

/** What wakes: a film has no PIR, so a sensor that feels whatever changes stands in for it. */
const WAKES: ReadonlySet<MotionKind> = new Set(["light", "sway", "unsure", "moving"])

/** Pictures before a clip that are remembered. */
const FELT_MAX = 10

interface Clip {
  readonly woken: Milliseconds
  readonly recognition: Recognition
  readonly stretches: Stretches
  /** After the verdict. */
  readonly travel: Travel
  /** null: not decided yet. */
  decided: { readonly verdict: Verdict; readonly at: Milliseconds } | null
}

/**
 * A camera's recognition over the pictures of a film, in the film's own time: woken, judged within `verdictWithin`, and
 * what is kept lasts until nothing has moved for `postRoll`. The stages are those of the firmware. `asksOn`: the detector
 * goes on being asked after a verdict, to tell who stays how long; a camera's does not.
 */
export async function replayFilm(
  frames: AsyncIterable<Frame>,
  config: Pick<CameraConfig, "recognise" | "recording">,
  detector: Detector | null,
  onFrame: (masked: Frame, moment: Moment) => Promise<void>,
  signal: AbortSignal,
  asksOn = true,
): Promise<Replayed> {
  const camera = new FilmCamera(config, detector && new TimedDetector(detector), asksOn)
  const masks = new Masks(config.recognise.masks)
  for await (const frame of frames) {
    if (signal.aborted || frameFlaw(frame) !== null) continue
    const masked = masks.apply(frame)
    await onFrame(masked, await camera.look(masked, signal))
  }
  return camera.end()
}

class FilmCamera {
  readonly #config: Pick<CameraConfig, "recognise" | "recording">
  readonly #detector: TimedDetector | null
  readonly #asksOn: boolean
  readonly #sensor = new Motion()
  readonly #recogniser: Recogniser
  readonly #moments: Moment[] = []
  readonly #verdicts: FilmVerdict[] = []
  readonly #events: FilmEvent[] = []
  #said: StageSaid[] = []
  #clip: Clip | null = null
  #before: Milliseconds | null = null
  #felt: readonly { readonly at: Seconds; readonly kind: MotionKind }[] = []
  #asked = 0
  #askedAt: Milliseconds = Number.NEGATIVE_INFINITY

  constructor(
    config: Pick<CameraConfig, "recognise" | "recording">,
    detector: TimedDetector | null,
    asksOn: boolean,
  ) {
    this.#config = config
    this.#detector = detector
    this.#asksOn = asksOn
    const observe = (said: StageSaid) => this.#said.push(said)
    this.#recogniser = new Recogniser({ settings: config.recognise, detector, observe })
  }

  async look(frame: Frame, signal: AbortSignal): Promise<Moment> {
    this.#said = []
    const felt = this.#sensor.look(frame)
    if (!this.#clip && WAKES.has(felt.kind)) this.#wake(frame.at)
    const clip = this.#clip
    let boxes: readonly SeenBox[] | null = null
    if (clip && !clip.decided) {
      await this.#judge(clip, frame, signal)
      boxes = this.#boxesSaid()
    } else {
      this.#recogniser.learn(frame)
      if (clip && this.#asksOn) boxes = await this.#whoIsThere(clip, frame, signal)
    }
    if (boxes) this.#asked++
    clip?.stretches.add(secondsOf(frame.at), presenceIn(felt.kind, boxes, this.#config.recognise))
    if (clip && this.#clip === clip && clip.decided && this.#isOver(clip, frame.at)) this.#close(clip)
    this.#before = frame.at
    this.#felt = [...this.#felt, { at: secondsOf(frame.at), kind: felt.kind }].slice(-FELT_MAX)
    const moment = this.#momentOf(frame.at, { kind: felt.kind, changed: felt.share }, boxes)
    this.#moments.push(moment)
    return moment
  }

  end(): Replayed {
    const clip = this.#clip
    const at = this.#before ?? 0
    // The film ends before it is sure: that says nothing of the camera.
    if (clip && !clip.decided) this.#endUndecided(clip, at)
    if (this.#clip) this.#close(this.#clip)
    const [moments, verdicts, events] = [this.#moments, this.#verdicts, this.#events]
    return { moments, verdicts, events, pictures: moments.length, asked: this.#asked }
  }

  #endUndecided(clip: Clip, at: Milliseconds): void {
    const verdict = clip.recognition.conclude()
    if (verdict.by === "too late") this.#clip = null
    else this.#decide(clip, verdict, at)
  }

  #wake(at: Milliseconds): void {
    const from = secondsOf(at - this.#config.recording.preRoll)
    const before = this.#felt.filter((picture) => picture.at >= from)
    const recognition = this.#recogniser.begin({ kind: "motion", at })
    this.#clip = {
      woken: at,
      recognition,
      stretches: new Stretches(before),
      travel: new Travel(this.#config.recognise.minScore.vehicle),
      decided: null,
    }
  }

  async #judge(clip: Clip, frame: Frame, signal: AbortSignal): Promise<void> {
    const { verdictWithin } = this.#config.recording
    const verdict = await clip.recognition.look(frame, signal)
    if (verdict) this.#decide(clip, verdict, frame.at)
    else if (frame.at - clip.woken >= verdictWithin) this.#decide(clip, clip.recognition.conclude(), frame.at)
  }

  #decide(clip: Clip, verdict: Verdict, at: Milliseconds): void {
    const { keep, label, by } = verdict
    clip.decided = { verdict, at }
    this.#verdicts.push({ woken: secondsOf(clip.woken), at: secondsOf(at), keep, label, by })
    if (!keep) this.#clip = null
  }

  /** Nobody is there any more, and has not been for the post-roll. */
  #isOver({ woken, stretches }: Clip, at: Milliseconds): boolean {
    const last = stretches.lastSeen ?? secondsOf(woken)
    return secondsOf(at) - last > this.#config.recording.postRoll / 1_000
  }

  #close({ stretches, decided, woken }: Clip): void {
    if (decided) this.#events.push(...stretches.end(decided.verdict, secondsOf(woken), secondsOf(decided.at)))
    this.#clip = null
  }

  /**
   * A camera has decided by now and asks no more. A replay does, to tell how long who is there stays: also who stands
   * still, so nothing needs to have changed there.
   */
  async #whoIsThere(clip: Clip, frame: Frame, signal: AbortSignal): Promise<readonly SeenBox[] | null> {
    const { recognise } = this.#config
    if (!this.#detector || frame.at - this.#askedAt < recognise.detectEvery * EARLY) return null
    this.#askedAt = frame.at
    const { boxes } = clip.travel.look(await this.#detector.detect(frame, signal))
    return seenBoxes(boxes, inPlace(boxes, recognise), recognise)
  }

  #boxesSaid(): readonly SeenBox[] | null {
    const said = this.#said.find((each) => each.stage === "detector")
    return said ? seenBoxes(said.boxes, said.counted, this.#config.recognise) : null
  }

  #momentOf(at: Milliseconds, motion: Moment["motion"], boxes: readonly SeenBox[] | null): Moment {
    const vote = this.#said.find((each) => each.stage === "vote")
    const milliseconds = boxes === null ? null : (this.#detector?.lastMilliseconds ?? null)
    return { at: secondsOf(at), motion, boxes, milliseconds, medians: vote?.medians ?? null }
  }
}

function seenBoxes(
  boxes: readonly Box[],
  counted: readonly Box[],
  { minScore }: RecogniseSettings,
): readonly SeenBox[] {
  return boxes.map((box) => ({ ...box, counts: counted.includes(box) && box.score >= minScore[box.label] }))
}

function presenceIn(
  kind: MotionKind,
  boxes: readonly SeenBox[] | null,
  settings: RecogniseSettings,
): Presence {
  const labels = boxes && [...new Set(boxes.flatMap(({ label, counts }) => (counts ? [label] : [])))]
  const faintly = inPlace(boxes ?? [], settings).filter(
    ({ label, score }) => score >= settings.minScore[label] / 2,
  )
  return { kind, labels, faintly: faintly.map(({ label }) => label) }
}

const secondsOf = (at: Milliseconds): Seconds => at / 1_000
