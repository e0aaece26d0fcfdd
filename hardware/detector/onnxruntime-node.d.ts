/** The native runtime, where somebody has installed it. It speaks as onnxruntime-web does. */
declare module "onnxruntime-node" {
  import type * as web from "onnxruntime-web/wasm"

  const ort: Pick<typeof web, "InferenceSession" | "Tensor">
  export default ort
}
