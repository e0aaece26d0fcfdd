import { createHash } from "node:crypto"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { Fault, isFault } from "../../firmware/errors.ts"
import { isUrl, readModelFrom, shownFrom } from "./fetch-model.ts"
import { KNOWN_MODELS } from "./known-models.ts"
import { type InstalledModel, type ModelPaper, modelName, storeModel } from "./model-store.ts"

export interface ModelOrder {
  /** A file's path, or an http(s) address. */
  readonly from: string
  /** Where models are kept. */
  readonly folder: string
  /** What its SHA-256 has to be; absent: that of a known model. */
  readonly sha256?: string
  /** Looks whether a model that nobody knows is one at all: throws a Fault that says why not. */
  readonly tryOut: (path: string) => Promise<void>
  readonly signal: AbortSignal
}

/**
 * Installs a model whose SHA-256 is known to obscura, or named by whoever installs it. Whatever goes wrong, what was
 * installed before stays.
 *
 * @throws Fault, definite unless "unavailable". "usage": not known, and no --sha256; "tampered": another SHA-256 than was
 *         named; what reading, storing and `tryOut` throw.
 */
export async function installModel({
  from,
  folder,
  sha256,
  tryOut,
  signal,
}: ModelOrder): Promise<InstalledModel> {
  const bytes = await readModelFrom(from, signal)
  const hash = createHash("sha256").update(bytes).digest("hex")
  const shown = shownFrom(from)
  refuseOther(shown, hash, sha256)
  const known = KNOWN_MODELS.find((each) => each.sha256 === hash)
  const name = known?.name ?? modelName(nameIn(from))
  const paper = {
    ...{ sha256: hash, bytes: bytes.length },
    ...{ licence: known?.licence ?? null, source: known?.source ?? (isUrl(from) ? shown : basename(from)) },
  }
  if (!known) {
    if (KNOWN_MODELS.some((each) => each.name === name))
      throw new Fault("usage", `${shown}: ${name} is the name of another model: call the file otherwise`)
    await triedOut(shown, bytes, paper, tryOut)
  }
  return storeModel(folder, name, bytes, paper)
}

/** The only gate: bytes that nobody vouches for are not installed. */
function refuseOther(from: string, hash: string, wanted: string | undefined): void {
  if (wanted !== undefined) {
    if (hash === wanted) return
    throw new Fault(
      "tampered",
      `${from}: its SHA-256 is ${hash}, not what --sha256 says; nothing was installed`,
    )
  }
  if (KNOWN_MODELS.some(({ sha256 }) => sha256 === hash)) return
  throw new Fault(
    "usage",
    `${from}: no model that obscura knows, or one that was changed; if you know better, add --sha256 ${hash}`,
  )
}

/** In a folder of its own, so that nothing of it stays when it is no model. */
async function triedOut(
  from: string,
  bytes: Uint8Array,
  paper: ModelPaper,
  tryOut: ModelOrder["tryOut"],
): Promise<void> {
  const trial = await mkdtemp(join(tmpdir(), "obscura-model-"))
  try {
    const { path } = await storeModel(trial, "trial", bytes, paper)
    await tryOut(path).catch((cause: unknown) => {
      if (!isFault(cause)) throw cause
      const message = cause.message.replace(`${path}: `, `${from}: `)
      throw new Fault(cause.kind, message, { cause, definite: cause.definite })
    })
  } finally {
    await rm(trial, { recursive: true, force: true })
  }
}

function nameIn(from: string): string {
  return basename(isUrl(from) ? new URL(from).pathname : from)
}
