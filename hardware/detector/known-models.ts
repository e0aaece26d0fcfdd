import type { Bytes } from "../../firmware/units.ts"

/** A model that somebody of the project has looked at. */
export interface KnownModel {
  /** What it is called once it is installed. */
  readonly name: string
  /** SHA-256 of the ONNX file, lower-case hex. */
  readonly sha256: string
  readonly bytes: Bytes
  /** SPDX identifier. */
  readonly licence: string
  /** Who made it, and where the file is. */
  readonly source: string
  readonly says: string
}

/** What a camera uses if it is installed and nothing else is asked for. */
export const DEFAULT_MODEL = "yolox-nano"

export const KNOWN_MODELS: readonly KnownModel[] = [
  {
    name: DEFAULT_MODEL,
    sha256: "695e750a5d5754bb5a8d5325643b59282191a7e7a564e435a415fd3c578eab14",
    bytes: 3_660_092,
    licence: "Apache-2.0",
    source:
      "weights of Megvii-BaseDetection/YOLOX; model/yolox_nano.onnx of https://github.com/Kazuhito00/YOLOX-ONNX-TFLite-Sample at 3d4f1119d069",
    says: "YOLOX-nano, COCO's 80 classes, pictures of 416 x 416",
  },
]
