import type { Clock, Log } from "../../firmware/ports.ts"
import { processClock } from "../../hardware/clock.ts"
import { ThreadedDecoder } from "../../hardware/detector/key-frame-decoder.ts"
import { ModelDetector, type ModelDetectorOptions } from "../../hardware/detector/model-detector.ts"
import { MODEL_THREAD, PICTURE_THREAD, wasmFile } from "./threads.ts"

export interface RealDetectorOptions extends Pick<ModelDetectorOptions, "model" | "sha256" | "runtime"> {
  readonly clock?: Clock
  readonly log?: Log
}

const SILENT: Log = { write: () => undefined }

/**
 * A detector by a real model, for simulated cameras and replay; one serves several cameras in turn. Close it.
 * @throws Fault as `ModelDetector.open`.
 */
export async function openRealDetector(options: RealDetectorOptions): Promise<ModelDetector> {
  const { clock = processClock(), log = SILENT, ...model } = options
  const detector = new ModelDetector({ ...model, clock, log, program: MODEL_THREAD, wasmFile: wasmFile() })
  try {
    await detector.open()
    return detector
  } catch (error) {
    await detector.close()
    throw error
  }
}

/** A decoder of key frames for simulated cameras. Close it. @throws Fault "unsupported", definite: node-av is not installed. */
export async function openRealDecoder({
  clock = processClock(),
  log = SILENT,
} = {}): Promise<ThreadedDecoder> {
  const decoder = new ThreadedDecoder({ clock, log, program: PICTURE_THREAD })
  try {
    await decoder.open()
    return decoder
  } catch (error) {
    await decoder.close()
    throw error
  }
}
