import { Fault } from "../../firmware/errors.ts"
import type { Board, Clock, Log } from "../../firmware/ports.ts"
import { processClock } from "../../hardware/clock.ts"
import { findModel } from "../../hardware/detector/model-store.ts"
import { openRealDecoder, openRealDetector } from "./real-detector.ts"

/** Decoder and model for simulated cameras of one process, which take turns. */
export interface CameraEyes {
  readonly parts: Pick<Board, "decoder" | "detector">
  close(): Promise<void>
}

/**
 * The model's path, and its SHA-256 where it was installed. `wanted` as `findModel` takes it.
 * @throws Fault "usage", definite: none is installed, or not this one.
 */
export async function modelFor(
  folder: string,
  wanted: string | null,
): Promise<{ readonly path: string; readonly sha256?: string }> {
  const found = await findModel([folder], wanted ?? undefined)
  if (found) return found
  throw new Fault("usage", "no model is installed: obscura model install FILE, or name the ONNX file")
}

/** @throws Fault as `openRealDetector` and `openRealDecoder`: one line that says what to do. */
export async function openCameraEyes(
  { path: model, sha256 }: Awaited<ReturnType<typeof modelFor>>,
  { clock = processClock(), log }: { clock?: Clock; log: Log },
): Promise<CameraEyes> {
  const decoder = await openRealDecoder({ clock, log })
  try {
    const detector = await openRealDetector({
      model,
      clock,
      log,
      ...(sha256 === undefined ? {} : { sha256 }),
    })
    const close = async () => {
      await Promise.all([detector.close(), decoder.close()])
    }
    return { parts: { decoder, detector }, close }
  } catch (error) {
    await decoder.close()
    throw error
  }
}
