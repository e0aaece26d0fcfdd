import type { CameraConfig } from "../../firmware/config.ts"
import { isFault, messageOf } from "../../firmware/errors.ts"
import type { Box, Detector, Frame } from "../../firmware/ports.ts"
import { inPlace, LABELS } from "../../firmware/recognise/count.ts"
import { Masks } from "../../firmware/recognise/mask.ts"
import type { Bytes, Milliseconds, Seconds } from "../../firmware/units.ts"
import type { EncodeStill } from "./encode-still.ts"
import type { Input } from "./inputs.ts"
import { counted } from "./page/hero.ts"
import type { Still } from "./page/still.ts"
import { replayFilm } from "./replay-film.ts"
import type { Cost, Failure, FilmResult, PictureResult, SeenBox } from "./result.ts"
import { TimedDetector } from "./timed-detector.ts"

/** How files become frames: the packages that decode are the composer's. */
export interface Eyes {
  /** @throws Fault whose message begins with the file. */
  readonly picture: (path: string) => Promise<Frame>
  /** @throws as `picture`. */
  readonly film: (path: string) => Promise<FilmFrames>
  readonly still: EncodeStill
  /** null: there is no model. */
  readonly detector: Detector | null
  /** As of `replayFilm`; default: true. */
  readonly asksOn?: boolean
}

/** A film that is open; `frames` is called once. */
export interface FilmFrames {
  /** null: the file does not say. */
  readonly duration: Seconds | null
  frames(every: Milliseconds, signal: AbortSignal): AsyncIterable<Frame>
  /** Pictures that could not be decoded so far. */
  readonly damaged: number
}

export interface Looked {
  readonly pictures: readonly PictureResult[]
  readonly films: readonly FilmResult[]
  readonly failures: readonly Failure[]
  readonly warnings: readonly string[]
  readonly stills: ReadonlyMap<string, readonly Still[]>
  readonly cost: Cost
}

/** How far it is: `done` of `all` files, and within a film how many of its seconds; null where nobody knows. */
export interface Progress {
  readonly file: string
  readonly done: number
  readonly all: number
  readonly at: Seconds | null
  readonly of: Seconds | null
}

const STILL_WIDTH = 400
const PICTURE_WIDTH = 480
/** Of a film, and of all films together: the page stays one that a browser opens. */
const STILLS_OF_FILM_MAX = 180
const STILLS_MAX = 2_000

/**
 * Looks at one file after another. A file that fails is told and the others go on.
 * Nothing is labelled here: truth is another's business, and comes afterwards.
 */
export async function lookAt(
  inputs: readonly Input[],
  config: CameraConfig,
  eyes: Eyes,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Looked> {
  const pictures: PictureResult[] = []
  const films: FilmResult[] = []
  const failures: Failure[] = []
  const warnings: string[] = []
  const stills = new Map<string, readonly Still[]>()
  const memory = new Peak()
  const filmCount = inputs.filter(({ kind }) => kind === "film").length
  const stillsMax = Math.max(12, Math.min(STILLS_OF_FILM_MAX, Math.floor(STILLS_MAX / filmCount)))
  const masks = new Masks(config.recognise.masks)
  for (const [done, input] of inputs.entries()) {
    if (signal.aborted) break
    const tell = (at: Seconds | null, of: Seconds | null) =>
      onProgress({ file: input.name, done, all: inputs.length, at, of })
    tell(null, null)
    try {
      if (input.kind === "picture") {
        const frame = masks.apply(await eyes.picture(input.path))
        pictures.push(await lookAtPicture(input.name, frame, config, eyes.detector, signal))
        stills.set(input.name, [await eyes.still(frame, PICTURE_WIDTH)])
      } else {
        const looked = await lookAtFilm(input, config, eyes, stillsMax, tell, memory, signal)
        films.push(looked.film)
        stills.set(input.name, looked.stills)
        if (looked.damaged > 0)
          warnings.push(`${input.name}: ${counted(looked.damaged, "damaged picture")} passed over`)
      }
    } catch (error) {
      if (!isFault(error) || error.kind === "broken") throw error
      failures.push({ file: input.name, reason: messageOf(error) })
    }
    memory.look()
  }
  return { pictures, films, failures, warnings, stills, cost: costOf(pictures, films, memory.bytes) }
}

async function lookAtPicture(
  file: string,
  frame: Frame,
  { recognise }: CameraConfig,
  detector: Detector | null,
  signal: AbortSignal,
): Promise<PictureResult> {
  const { width, height } = frame
  if (detector === null)
    return { file, width, height, boxes: [], labels: [], truth: null, milliseconds: null }
  const timed = new TimedDetector(detector)
  const found = await timed.detect(frame, signal)
  const there = inPlace(found, recognise)
  const counts = (box: Box) => there.includes(box) && box.score >= recognise.minScore[box.label]
  const boxes: readonly SeenBox[] = found.map((box) => ({ ...box, counts: counts(box) }))
  const labels = LABELS.filter((label) => boxes.some((box) => box.counts && box.label === label))
  return { file, width, height, boxes, labels, truth: null, milliseconds: timed.lastMilliseconds }
}

async function lookAtFilm(
  { path, name }: Input,
  config: CameraConfig,
  eyes: Eyes,
  stillsMax: number,
  tell: (at: Seconds, of: Seconds | null) => void,
  memory: Peak,
  signal: AbortSignal,
): Promise<{ readonly film: FilmResult; readonly stills: readonly Still[]; readonly damaged: number }> {
  const begun = performance.now()
  const open = await eyes.film(path)
  const every = config.lens.groupOfPictures
  let stride = Math.max(1, Math.ceil(((open.duration ?? 0) * 1_000) / every / stillsMax))
  let stills: Still[] = []
  let size = { width: 0, height: 0 }
  let seen = 0
  const replayed = await replayFilm(
    open.frames(every, signal),
    config,
    eyes.detector,
    async (frame, { at, boxes }) => {
      size = frame
      if (seen++ % stride === 0 || (boxes !== null && stills.length < 2 * stillsMax))
        stills.push(await eyes.still(frame, STILL_WIDTH))
      // A raw film does not say how long it is.
      if (stills.length > 2 * stillsMax) {
        stills = stills.filter((_, index) => index % 2 === 0)
        stride *= 2
      }
      memory.look()
      tell(at, open.duration)
    },
    signal,
    eyes.asksOn,
  )
  const last = replayed.moments.at(-1)?.at ?? 0
  const film: FilmResult = {
    ...replayed,
    ...{ file: name, width: size.width, height: size.height, truth: null, match: null },
    seconds: Math.max(open.duration ?? 0, last),
    wallSeconds: (performance.now() - begun) / 1_000,
  }
  return { film, stills, damaged: open.damaged }
}

/** The most memory that was seen. */
class Peak {
  bytes: Bytes = process.memoryUsage.rss()

  look(): void {
    this.bytes = Math.max(this.bytes, process.memoryUsage.rss())
  }
}

function costOf(
  pictures: readonly PictureResult[],
  films: readonly FilmResult[],
  residentBytesMax: Bytes,
): Cost {
  const looks = [...pictures, ...films.flatMap(({ moments }) => moments)]
    .flatMap(({ milliseconds }) => (milliseconds === null ? [] : [milliseconds]))
    .sort((a, b) => a - b)
  const at = (share: number) => looks[Math.min(looks.length - 1, Math.floor(looks.length * share))] ?? null
  const sum = (of: (film: FilmResult) => Seconds) => films.reduce((all, film) => all + of(film), 0)
  return {
    ...{ looks: looks.length, p50: at(0.5), p95: at(0.95), residentBytesMax },
    filmSeconds: sum(({ seconds }) => seconds),
    wallSeconds: sum(({ wallSeconds }) => wallSeconds),
  }
}
