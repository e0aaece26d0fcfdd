/**
 * A model file made by hand: one picture in, and outputs that are the same for every picture. ONNX is protobuf
 * (onnx.proto3): fields by number, a varint or length-delimited bytes.
 */
export interface TinyModel {
  /** Dimensions of the input; a text is an open one. */
  readonly input: readonly (number | string)[]
  readonly outputs: readonly { readonly dims: readonly number[]; readonly values: Float32Array }[]
}

export function tinyOnnx({ input, outputs }: TinyModel): Buffer {
  const nodes = outputs.map((_, i) =>
    bytes(1, join([text(1, `constant${i}`), text(2, `output${i}`), text(4, "Identity")])),
  )
  const constants = outputs.map(({ dims, values }, i) =>
    bytes(
      5,
      join([
        ...dims.map((dim) => varint(1, dim)),
        varint(2, FLOAT),
        text(8, `constant${i}`),
        bytes(9, Buffer.from(values.buffer, values.byteOffset, values.byteLength)),
      ]),
    ),
  )
  const graph = join([
    ...nodes,
    text(2, "tiny"),
    ...constants,
    bytes(11, infoOf("images", input)),
    ...outputs.map(({ dims }, i) => bytes(12, infoOf(`output${i}`, dims))),
  ])
  const opset = join([text(1, ""), varint(2, 13)])
  return join([varint(1, 8), bytes(7, graph), bytes(8, opset)])
}

const FLOAT = 1

function infoOf(name: string, dims: readonly (number | string)[]): Buffer {
  const shape = join(dims.map((dim) => bytes(1, typeof dim === "number" ? varint(1, dim) : text(2, dim))))
  return join([text(1, name), bytes(2, bytes(1, join([varint(1, FLOAT), bytes(2, shape)])))])
}

const join = (parts: readonly Buffer[]): Buffer => Buffer.concat(parts)
const text = (field: number, value: string): Buffer => bytes(field, Buffer.from(value))
const bytes = (field: number, value: Buffer): Buffer =>
  join([Buffer.from(spelled(field * 8 + 2)), Buffer.from(spelled(value.length)), value])
const varint = (field: number, value: number): Buffer =>
  Buffer.from([...spelled(field * 8), ...spelled(value)])

function spelled(value: number): number[] {
  const out: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...out, rest]
    out.push((rest % 128) + 128)
  }
}
