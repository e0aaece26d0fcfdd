import type { CameraConfig } from "../../firmware/config.ts"
import { Fault } from "../../firmware/errors.ts"
import type { Input } from "./inputs.ts"
import type { Labels } from "./labels.ts"
import type { Still } from "./page/still.ts"
import { type Failure, type ModelUsed, type RecogniseRun, SCHEMA } from "./result.ts"
import { type Eyes, lookAt, type Progress } from "./run.ts"
import { scoreRun } from "./score-run.ts"

export interface RecogniseParts {
  readonly inputs: readonly Input[]
  /** Of what was named and is no input. */
  readonly failures: readonly Failure[]
  readonly config: CameraConfig
  readonly eyes: Eyes
  readonly model: ModelUsed | null
  readonly labels: Labels | null
  readonly now: Date
  readonly onProgress: (progress: Progress) => void
}

export interface Recognised {
  readonly run: RecogniseRun
  readonly stills: ReadonlyMap<string, readonly Still[]>
}

const NO_MODEL =
  "a model. Films are judged by motion alone, as a camera without one does, and pictures cannot be; give --model FILE, or install one: obscura model install"

/** @throws Fault "usage", definite: the labels name none of the files. */
export async function recognise(parts: RecogniseParts, signal: AbortSignal): Promise<Recognised> {
  const { inputs, config, eyes, model, labels } = parts
  const looked = await lookAt(inputs, config, eyes, parts.onProgress, signal)
  const scored =
    labels &&
    scoreRun(
      ...([looked.pictures, looked.films, labels] as const),
      inputs.map(({ name }) => name),
      eyes.detector !== null,
    )
  if (scored && scored.missing.length === labels.files.size + labels.events.size)
    throw new Fault("usage", "the labels name none of these files; compare the names in them")
  const missing = scored ? missingInWords(scored.missing) : []
  const { recognise: settings, recording, lens } = config
  const run: RecogniseRun = {
    schema: SCHEMA,
    madeAt: parts.now.toISOString(),
    model,
    lacks: model ? [] : [NO_MODEL],
    settings: {
      ...settings,
      ...{ verdictWithin: recording.verdictWithin, postRoll: recording.postRoll },
      ...{ pictureEvery: lens.groupOfPictures, asksOn: eyes.asksOn ?? true },
    },
    pictures: scored?.pictures ?? looked.pictures,
    films: scored?.films ?? looked.films,
    failures: [...parts.failures, ...looked.failures],
    warnings: [...looked.warnings, ...(labels?.warnings ?? []), ...missing],
    score: scored?.score ?? null,
    cost: looked.cost,
  }
  return { run, stills: looked.stills }
}

const NAMED_MAX = 10

function missingInWords(names: readonly string[]): readonly string[] {
  const more = names.length - NAMED_MAX
  return [
    ...names
      .slice(0, NAMED_MAX)
      .map((name) => `labels: ${name} is not among the files, or several are called so`),
    ...(more > 0 ? [`labels: and ${more} more`] : []),
  ]
}
