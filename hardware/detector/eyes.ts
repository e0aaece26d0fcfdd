import { createRequire } from "node:module"
import { isFault, messageOf } from "../../firmware/errors.ts"
import type { Clock, Detector, KeyFrameDecoder, Log } from "../../firmware/ports.ts"
import type { Bytes, Milliseconds } from "../../firmware/units.ts"
import type { DetectorFiles } from "./beside.ts"
import { ThreadedDecoder } from "./key-frame-decoder.ts"
import { ModelDetector } from "./model-detector.ts"
import type { RuntimeWanted } from "./model-session.ts"
import { findModel } from "./model-store.ts"

export interface EyesOptions {
  readonly files: DetectorFiles
  /** Where models may be installed, in order. */
  readonly folders: readonly string[]
  /** A model's name or path; absent: what is installed. */
  readonly model?: string | undefined
  readonly runtime: RuntimeWanted
  readonly clock: Clock
  readonly log: Log
}

/** What a board recognises by, as far as it is there. */
export interface Eyes {
  readonly parts: { readonly decoder?: KeyFrameDecoder; readonly detector?: Detector }
  /** Loads the model, beside all else: who asks first need not wait for it. What goes wrong is in the log. */
  begin(): void
  /** For the status; null: there is no model, or it has not started yet. */
  facts(): EyesFacts | null
  close(): Promise<void>
}

export interface EyesFacts {
  readonly family: string
  readonly runtime: string
  readonly memory: Bytes
  /** Since the start. */
  readonly pictures: number
  /** Median of the last; null: none yet. */
  readonly perPicture: Milliseconds | null
  /** Key frames that could not be decoded. */
  readonly damaged: number
}

/**
 * Decoder and model of this machine. What is missing is said in the log, and never keeps a camera from recording.
 */
export async function openEyes(options: EyesOptions): Promise<Eyes> {
  const { files, clock, log } = options
  const fault = (where: string) => (error: unknown) =>
    log.write({
      ...{ event: "fault", where, kind: isFault(error) ? error.kind : "unknown", reason: messageOf(error) },
    })
  const detector = await modelOf(options).catch((error: unknown) => {
    fault("detector")(error)
    return null
  })
  const decoder = hasDecoder(files) ? new ThreadedDecoder({ program: files.picture, clock, log }) : null
  if (detector && !decoder)
    log.write({
      ...{ event: "fault", where: "decoder", kind: "unsupported" },
      reason:
        "there is a model, but no pictures for it: the npm package node-av is not installed beside the program",
    })
  return {
    parts: { ...(decoder ? { decoder } : {}), ...(detector && decoder ? { detector } : {}) },
    begin: () => {
      if (detector && decoder) detector.open().catch(fault("detector"))
    },
    facts: () => {
      const { facts = null, pace = null } = detector ?? {}
      if (!facts) return null
      const { family, runtime, memory } = facts
      const { frames = 0, median = null } = pace ?? {}
      return { family, runtime, memory, pictures: frames, perPicture: median, damaged: decoder?.damaged ?? 0 }
    },
    close: async () => {
      await Promise.all([detector?.close(), decoder?.close()])
    },
  }
}

async function modelOf(options: EyesOptions): Promise<ModelDetector | null> {
  const { files, folders, model, runtime, clock, log } = options
  const found = await findModel(folders, model)
  if (!found) return null
  const { path, sha256 } = found
  return new ModelDetector({
    ...{ model: path, runtime, clock, log, program: files.model, wasmFile: files.wasmFile },
    ...(sha256 === undefined ? {} : { sha256 }),
  })
}

/** Without loading it: that takes a thread, and memory. */
function hasDecoder({ picture }: DetectorFiles): boolean {
  try {
    createRequire(picture.file).resolve("node-av/lib")
    return true
  } catch {
    return false // it is optional
  }
}
