import { runLoops } from "../../firmware/camera.ts"
import type { CameraConfig } from "../../firmware/config.ts"
import type { Board } from "../../firmware/ports.ts"
import { plainSealFor } from "./plain-sealer.ts"

/** A camera that uploads what it sees as it is: every loop of `runCamera`, with nothing sealed. */
export function runPlainCamera(board: Board, config: CameraConfig, signal: AbortSignal): Promise<void> {
  return runLoops(board, config, plainSealFor, signal)
}
