import { createRequire } from "node:module"
import type { ThreadFile } from "../../hardware/detector/thread.ts"

/** The detector's threads where nothing is bundled: from their sources, which Node 20 does not run by itself. */

const TYPESCRIPT = new URL("../typescript/register.js", import.meta.url).href

const fromSource = (url: URL): ThreadFile => ({ file: url, execArgv: ["--import", TYPESCRIPT] })

export const MODEL_THREAD = fromSource(new URL("../../hardware/detector/model-thread.ts", import.meta.url))
export const PICTURE_THREAD = fromSource(
  new URL("../../hardware/detector/picture-thread.ts", import.meta.url),
)

export function wasmFile(): string {
  return createRequire(import.meta.url).resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm")
}
