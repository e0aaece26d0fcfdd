import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Option } from "commander"
import { Fault } from "../../firmware/errors.ts"
import { installModel } from "../../hardware/detector/install-model.ts"
import { opens, parseHash } from "../../hardware/detector/model-command.ts"
import type { PackedModel } from "../../hardware/flash/deb.ts"
import { MODEL_THREAD, wasmFile } from "../recognise/threads.ts"

export interface ModelOptions {
  readonly model?: string
  readonly modelSha256?: string
}

export const modelHashOption = (): Option =>
  new Option(
    "--model-sha256 <hex>",
    "with --model: what its SHA-256 has to be, if it is not known",
  ).argParser(parseHash)

/**
 * The model that goes with a package, checked as `obscura model install` does. null: none.
 * @throws Fault as `installModel`.
 */
export async function packedModel({
  model: from,
  modelSha256: sha256,
}: ModelOptions): Promise<PackedModel | null> {
  if (from === undefined) {
    if (sha256 !== undefined) throw new Fault("usage", "--model-sha256 goes with --model")
    return null
  }
  const folder = await mkdtemp(join(tmpdir(), "obscura-model-"))
  try {
    const { name, path, ...paper } = await installModel({
      ...{ from, folder, signal: new AbortController().signal },
      ...(sha256 === undefined ? {} : { sha256 }),
      tryOut: (file) => opens(file, { model: MODEL_THREAD, wasmFile: wasmFile() }),
    })
    return { name, ...paper, file: await readFile(path) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
