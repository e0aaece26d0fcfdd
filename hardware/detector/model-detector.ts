import { basename } from "node:path"
import { Fault, isFault } from "../../firmware/errors.ts"
import type { Box, Clock, Detector, Frame, Log } from "../../firmware/ports.ts"
import { type Bytes, MiB, type Milliseconds, minutes } from "../../firmware/units.ts"
import type { RuntimeWanted } from "./model-session.ts"
import type { Looked, ModelFacts, ModelThreadData } from "./model-thread.ts"
import { Thread, type ThreadFile } from "./thread.ts"

export interface ModelDetectorOptions {
  /** Path of the ONNX file. */
  readonly model: string
  /** Of that file, where it is known. */
  readonly sha256?: string
  /** What `model-thread.ts` became. */
  readonly program: ThreadFile
  /** The path of onnxruntime-web's WebAssembly. */
  readonly wasmFile: string
  /** Default: "auto". */
  readonly runtime?: RuntimeWanted
  readonly clock: Clock
  readonly log: Log
  /** Default: a minute. */
  readonly answerWithin?: Milliseconds
  /** What the machine has to spare. Default: what node says. */
  readonly availableMemory?: () => Bytes
}

/** How long it takes the detector to look at a picture, of the last few. */
export interface Pace {
  /** Since it was opened. */
  readonly frames: number
  readonly median: Milliseconds
  readonly last: Milliseconds
}

/** A slow board takes seconds to compile the runtime. */
const START_WITHIN: Milliseconds = minutes(3)
const ANSWER_WITHIN: Milliseconds = minutes(1)
/** YOLOX-nano in onnxruntime-web took 190 MB; beyond this a camera's recorder would be short of it. */
const MEMORY_NEEDED: Bytes = 224 * MiB
const REMEMBERED = 31
/** Pictures after which the log says how long they take. */
const TOLD_FIRST = 5
const TOLD_EVERY = 1_000

/**
 * A detector by a YOLOX or NanoDet model, in a thread of its own: looking blocks nobody. Calls of several cameras wait for
 * one another.
 */
export class ModelDetector implements Detector {
  readonly #thread: Thread<ModelFacts, Frame, Looked>
  readonly #name: string
  readonly #log: Log
  readonly #took: Milliseconds[] = []
  #frames = 0
  #facts: ModelFacts | null = null

  constructor({ model, sha256, program, wasmFile, clock, log, ...options }: ModelDetectorOptions) {
    const { runtime = "auto", availableMemory = () => process.availableMemory() } = options
    const data: ModelThreadData = { model, sha256: sha256 ?? null, wasmFile, runtime }
    this.#name = basename(model)
    this.#log = log
    this.#thread = new Thread({
      ...{ name: "detector", program, data, clock, log, startWithin: START_WITHIN },
      answerWithin: options.answerWithin ?? ANSWER_WITHIN,
      mayStart: () => refuseWithoutMemory(availableMemory()),
    })
  }

  /**
   * Starts the thread and loads the model; the log says how long that took and what memory.
   * @throws Fault, definite, one line that begins with the file. "usage": it cannot be read; "malformed": it is no model;
   *         "unsupported": one of another family; "tampered": not the file that was installed.
   *         "unavailable", indefinite: there is no memory for it now; the next `detect` tries again.
   */
  async open(): Promise<ModelFacts> {
    const facts = await this.#thread.facts()
    if (this.#facts !== facts) {
      this.#facts = facts
      const { family, runtime, loadTime, memory } = facts
      this.#log.write({ event: "model ready", model: this.#name, family, runtime, loadTime, memory })
    }
    return facts
  }

  /** null: it was never open. */
  get facts(): ModelFacts | null {
    return this.#facts
  }

  /** null: it has not looked yet. */
  get pace(): Pace | null {
    const last = this.#took.at(-1)
    if (last === undefined) return null
    const sorted = [...this.#took].sort((a, b) => a - b)
    return { frames: this.#frames, median: sorted[sorted.length >> 1] ?? last, last }
  }

  async detect(frame: Frame, signal: AbortSignal): Promise<readonly Box[]> {
    try {
      await this.open()
      const { question, transfer } = copied(frame)
      const { boxes, took } = await this.#thread.ask(question, transfer, signal)
      this.#remember(took)
      return boxes
    } catch (error) {
      if (!isFault(error) || error.kind === "unavailable" || error.kind === "broken") throw error
      // A file that was changed since: of no use now, and the camera goes on.
      throw new Fault("unavailable", error.message, { cause: error })
    }
  }

  #remember(took: Milliseconds): void {
    this.#frames++
    this.#took.push(took)
    if (this.#took.length > REMEMBERED) this.#took.shift()
    if (this.#frames !== TOLD_FIRST && this.#frames % TOLD_EVERY !== 0) return
    const { pace } = this
    if (pace) this.#log.write({ event: "model pace", pictures: pace.frames, median: pace.median })
  }

  close(): Promise<void> {
    return this.#thread.close()
  }
}

function refuseWithoutMemory(available: Bytes): void {
  if (available >= MEMORY_NEEDED) return
  const has = Math.floor(available / MiB)
  throw new Fault(
    "unavailable",
    `there is no memory for the model: it needs ${MEMORY_NEEDED / MiB} MiB, and ${has} are free`,
    { definite: false },
  )
}

/** The frame is the caller's, and may be a view of something large: a copy is sent. */
function copied({ at, width, height, luma, chroma }: Frame): {
  readonly question: Frame
  readonly transfer: readonly ArrayBuffer[]
} {
  const copy = (plane: Uint8Array) => new Uint8Array(plane)
  const grey = copy(luma)
  if (!chroma) return { question: { at, width, height, luma: grey }, transfer: [grey.buffer] }
  const [blue, red] = [copy(chroma.blue), copy(chroma.red)]
  const question = { at, width, height, luma: grey, chroma: { blue, red } }
  return { question, transfer: [grey.buffer, blue.buffer, red.buffer] }
}
