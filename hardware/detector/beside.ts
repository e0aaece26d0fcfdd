import { dirname, join } from "node:path"
import type { ThreadFile } from "./thread.ts"

/** What the detector runs in its threads. */
export interface DetectorFiles {
  readonly model: ThreadFile
  readonly picture: ThreadFile
  /** The path of onnxruntime-web's WebAssembly. */
  readonly wasmFile: string
}

/** Where the program lies that runs, and with it what ships beside it. */
export function programFolder(): string {
  return dirname(process.argv[1] ?? ".")
}

/** What ships beside the program, by these names. */
export const THREAD_NAMES = { model: "obscura-model.mjs", picture: "obscura-pictures.mjs" } as const
export const WASM_NAME = "ort-wasm-simd-threaded.wasm"

/** Models that came with the program, and so were not installed here. */
export const modelsIn = (folder: string): string => join(folder, "models")

/** As they lie in the program's folder. */
export function filesIn(folder: string): DetectorFiles {
  return {
    model: { file: join(folder, THREAD_NAMES.model) },
    picture: { file: join(folder, THREAD_NAMES.picture) },
    wasmFile: join(folder, WASM_NAME),
  }
}
