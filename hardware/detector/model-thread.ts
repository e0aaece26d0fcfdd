import { createHash } from "node:crypto"
import { Fault, isFault } from "../../firmware/errors.ts"
import type { Box, Frame } from "../../firmware/ports.ts"
import { familyOf, inputSizeOf } from "../../firmware/recognise/model/family.ts"
import { letterbox } from "../../firmware/recognise/model/letterbox.ts"
import type { Bytes, Milliseconds } from "../../firmware/units.ts"
import { readModelFile } from "./fetch-model.ts"
import { openSession, type RuntimeName, type RuntimeWanted } from "./model-session.ts"
import { serveThread } from "./thread-messages.ts"

/** The thread that thinks: a model, and pictures to boxes. Nothing of a picture leaves it but boxes. */

export interface ModelThreadData {
  /** Path of the ONNX file. */
  readonly model: string
  /** Its SHA-256, lower-case hex, where it is known: other bytes are not loaded. */
  readonly sha256: string | null
  readonly wasmFile: string
  readonly runtime: RuntimeWanted
}

export interface ModelFacts {
  readonly family: string
  readonly runtime: RuntimeName
  /** Of its input, in pixels. */
  readonly width: number
  readonly height: number
  /** To be ready, with one empty picture. */
  readonly loadTime: Milliseconds
  /** By how much the process grew meanwhile. */
  readonly memory: Bytes
}

export interface Looked {
  readonly boxes: readonly Box[]
  readonly took: Milliseconds
}

serveThread<ModelThreadData, ModelFacts, Frame, Looked>(async (data) => {
  const begun = performance.now()
  const before = process.memoryUsage.rss()
  try {
    const session = await openSession(await readModel(data), data.wasmFile, data.runtime)
    const size = inputSizeOf(session.inputs)
    const tensor = new Float32Array(3 * size.width * size.height)
    const family = familyOf(await session.run(tensor.slice(), size), size)
    const look = async (frame: Frame) => {
      const from = performance.now()
      const fit = letterbox(frame, size, family.preparation, tensor)
      const boxes = family.boxes(await session.run(tensor, size), fit)
      return { answer: { boxes, took: performance.now() - from }, transfer: [] }
    }
    const facts = {
      ...{ family: family.name, runtime: session.runtime, ...size },
      ...{ loadTime: performance.now() - begun, memory: Math.max(0, process.memoryUsage.rss() - before) },
    }
    return { facts, answer: look }
  } catch (error) {
    if (!isFault(error)) throw error
    throw new Fault(error.kind, `${data.model}: ${error.message}`, { definite: error.definite, cause: error })
  }
})

async function readModel({ model, sha256 }: ModelThreadData): Promise<Uint8Array> {
  const bytes = await readModelFile(model)
  if (bytes.length === 0) throw new Fault("malformed", "is empty")
  if (sha256 !== null && createHash("sha256").update(bytes).digest("hex") !== sha256)
    throw new Fault("tampered", "is not what was installed: its SHA-256 is another; install it again")
  return bytes
}
