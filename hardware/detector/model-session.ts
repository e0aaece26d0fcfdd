import { readFile } from "node:fs/promises"
import type * as OnnxRuntime from "onnxruntime-web/wasm"
import { Fault, messageOf } from "../../firmware/errors.ts"
import type { Output, Shaped } from "../../firmware/recognise/model/family.ts"
import type { InputSize } from "../../firmware/recognise/model/letterbox.ts"

export type RuntimeName = "onnxruntime-web" | "onnxruntime-node"

/** "auto": onnxruntime-node where it is installed and loads, else onnxruntime-web, which is always there. */
export type RuntimeWanted = "auto" | RuntimeName

export interface ModelSession {
  readonly runtime: RuntimeName
  readonly inputs: readonly Shaped[]
  /** `tensor`: 3 x height x width of `size`. */
  run(tensor: Float32Array, size: InputSize): Promise<readonly Output[]>
}

type Runtime = Pick<typeof OnnxRuntime, "InferenceSession" | "Tensor">

/**
 * A model in a runtime, one thread of its own.
 * @param wasmFile The path of onnxruntime-web's `ort-wasm-simd-threaded.wasm`.
 * @throws Fault "malformed", definite: no ONNX model, or one that was cut off. "unsupported", definite: one that this
 *         runtime cannot run. "unavailable", indefinite: there is no memory for it.
 */
export async function openSession(
  model: Uint8Array,
  wasmFile: string,
  wanted: RuntimeWanted,
): Promise<ModelSession> {
  const { name, runtime } = await loadRuntime(wasmFile, wanted)
  const session = await createSession(runtime, model, name)
  const inputs = session.inputMetadata.map((each) => ({
    name: each.name,
    dims: each.isTensor ? each.shape : [],
  }))
  return {
    runtime: name,
    inputs,
    run: async (tensor, { width, height }) => {
      const picture = new runtime.Tensor("float32", tensor, [1, 3, height, width])
      const outputs = await session.run({ [inputs[0]?.name ?? ""]: picture })
      return session.outputNames.map((output) => outputOf(output, outputs[output]))
    },
  }
}

async function loadRuntime(
  wasmFile: string,
  wanted: RuntimeWanted,
): Promise<{ readonly name: RuntimeName; readonly runtime: Runtime }> {
  if (wanted !== "onnxruntime-web") {
    try {
      const { default: runtime } = await import("onnxruntime-node")
      return { name: "onnxruntime-node", runtime }
    } catch (cause) {
      // Not installed, or not for this machine: the other one runs everywhere.
      if (wanted === "onnxruntime-node")
        throw new Fault("unsupported", `onnxruntime-node does not load: ${firstLine(cause)}`, { cause })
    }
  }
  const runtime = await import("onnxruntime-web/wasm")
  const { wasm } = runtime.env
  wasm.numThreads = 1
  wasm.proxy = false
  wasm.wasmBinary = await readWasm(wasmFile)
  runtime.env.logLevel = "error"
  return { name: "onnxruntime-web", runtime }
}

async function readWasm(file: string): Promise<ArrayBuffer> {
  try {
    const bytes = new Uint8Array(await readFile(file))
    return bytes.buffer
  } catch (cause) {
    throw new Fault("unsupported", `the runtime is not installed: ${messageOf(cause)}`, { cause })
  }
}

async function createSession(
  { InferenceSession }: Runtime,
  model: Uint8Array,
  name: RuntimeName,
): Promise<OnnxRuntime.InferenceSession> {
  try {
    return await InferenceSession.create(model, {
      executionProviders: [name === "onnxruntime-web" ? "wasm" : "cpu"],
      ...{ intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: "sequential", logSeverityLevel: 4 },
    })
  } catch (cause) {
    throw translated(cause)
  }
}

function translated(cause: unknown): Fault {
  const said = firstLine(cause)
  if (/memory|bad_alloc|allocat/i.test(said) || cause instanceof RangeError)
    return new Fault("unavailable", `there is no memory for the model (${said})`, { cause, definite: false })
  if (/protobuf|INVALID_PROTOBUF|parse|deserializ|ModelProto|load model/i.test(said))
    return new Fault("malformed", `it is no ONNX model, or one that was cut off (${said})`, { cause })
  return new Fault("unsupported", `the runtime cannot run it (${said})`, { cause })
}

/** A runtime's words name its sources' lines and our paths; the first sentence will do. */
function firstLine(cause: unknown): string {
  return (messageOf(cause).split("\n")[0] ?? "").slice(0, 160)
}

function outputOf(name: string, tensor: OnnxRuntime.Tensor | undefined): Output {
  const values = tensor?.data
  return {
    name,
    dims: tensor?.dims ?? [],
    values: values instanceof Float32Array ? values : new Float32Array(0),
  }
}
