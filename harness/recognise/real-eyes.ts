import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { basename } from "node:path"
import { openFilm } from "./decode-film.ts"
import { decodePicture } from "./decode-picture.ts"
import { stillEncoder } from "./encode-still.ts"
import { openRealDetector } from "./real-detector.ts"
import type { ModelUsed } from "./result.ts"
import type { Eyes } from "./run.ts"

export interface OpenEyes {
  readonly eyes: Eyes
  readonly model: ModelUsed | null
  close(): Promise<void>
}

/**
 * Decoders and, where there is one, the model, as on a camera. `model`: as `findModel` gives it.
 * @throws Fault "unsupported": nothing decodes here; as `openRealDetector`, whose message begins with the file.
 */
export async function openRealEyes(
  model: { readonly path: string; readonly sha256?: string } | null,
): Promise<OpenEyes> {
  const still = await stillEncoder()
  if (model === null)
    return {
      eyes: { picture: decodePicture, film: openFilm, still, detector: null },
      model: null,
      close: async () => undefined,
    }
  const { path, sha256 } = model
  const detector = await openRealDetector({ model: path, ...(sha256 === undefined ? {} : { sha256 }) })
  return {
    eyes: { picture: decodePicture, film: openFilm, still, detector },
    model: await usedModel(path),
    close: () => detector.close(),
  }
}

async function usedModel(path: string): Promise<ModelUsed> {
  const bytes = await readFile(path)
  const sha256 = createHash("sha256").update(bytes).digest("hex")
  return { name: basename(path), sha256, bytes: bytes.length }
}
