import { randomBytes } from "node:crypto"
import { open, readdir, readFile, rename, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { makeFolder } from "../make-folder.ts"
import { DEFAULT_MODEL } from "./known-models.ts"

/**
 * The folder of installed models:
 *
 *   <name>.<first 12 digits of its SHA-256>.onnx    the file as it was given
 *   <name>.json                                     what is known of it: by this it is installed
 */

const paperShape = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().min(1),
  /** SPDX identifier; null: nobody of the project knows it. */
  licence: z.string().nullable(),
  source: z.string(),
})
export type ModelPaper = z.infer<typeof paperShape>

export interface InstalledModel extends ModelPaper {
  readonly name: string
  /** Of the ONNX file. */
  readonly path: string
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/

/** Its own name, as files are called here. @throws Fault "usage", definite. */
export function modelName(text: string): string {
  const name = text
    .replace(/\.onnx$/i, "")
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
  if (!NAME.test(name))
    throw new Fault("usage", `${JSON.stringify(text)}: a model needs a name of letters and digits`)
  return name
}

/** Sorted by name; a folder that is not there has none. @throws Fault "usage", definite: not ours to read. */
export async function installedModels(folder: string): Promise<readonly InstalledModel[]> {
  const files: readonly string[] = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return []
    throw new Fault("usage", `${folder}: cannot be read (${messageOf(cause)})`, { cause })
  })
  const found: InstalledModel[] = []
  for (const file of files.filter((each) => each.endsWith(".json")).sort()) {
    const name = file.slice(0, -".json".length)
    const paper = await readPaper(join(folder, file))
    if (paper && files.includes(modelFile(name, paper)))
      found.push({ name, path: join(folder, modelFile(name, paper)), ...paper })
  }
  return found
}

/** What its ONNX file is called. */
export function modelFile(name: string, { sha256 }: ModelPaper): string {
  return `${name}.${sha256.slice(0, 12)}.onnx`
}

/** null: whatever it is, no paper of ours. */
async function readPaper(file: string): Promise<ModelPaper | null> {
  try {
    return paperShape.parse(JSON.parse(await readFile(file, "utf8")))
  } catch {
    return null
  }
}

/**
 * The model that is meant by `wanted`: an installed one's name, else the path of an ONNX file. Undefined means yolox-nano
 * or else the only one that is installed. Folders are looked at in order. null: nothing is installed.
 *
 * @throws Fault "usage", definite: there is no such model, or several and none is chosen.
 */
export async function findModel(
  folders: readonly string[],
  wanted?: string,
): Promise<{ readonly path: string; readonly sha256?: string } | null> {
  const models = (await Promise.all(folders.map(installedModels))).flat()
  if (wanted === undefined) {
    const chosen = models.find(({ name }) => name === DEFAULT_MODEL) ?? models[0]
    const others = new Set(models.map(({ name }) => name))
    if (chosen?.name !== DEFAULT_MODEL && others.size > 1)
      throw new Fault("usage", `several models are installed, name one of them: ${[...others].join(", ")}`)
    return chosen ?? null
  }
  const named = models.find(({ name }) => name === wanted)
  if (named) return named
  const file = await stat(wanted).catch(() => null)
  if (file?.isFile()) return { path: wanted }
  const known = models.map(({ name }) => name).join(", ") || "none"
  throw new Fault("usage", `model ${wanted}: neither installed (${known}) nor a file`)
}

/**
 * Writes a model and its paper, whole or not at all: a power cut leaves what was there.
 * @throws Fault "full", definite: no space. "usage", definite: the folder cannot be written.
 */
export async function storeModel(
  folder: string,
  name: string,
  bytes: Uint8Array,
  paper: ModelPaper,
): Promise<InstalledModel> {
  await makeFolder(folder, 0o755)
  const path = join(folder, modelFile(name, paper))
  try {
    await writeWhole(path, bytes)
    // From here on it is this one.
    await writeWhole(join(folder, `${name}.json`), Buffer.from(`${JSON.stringify(paper, null, 2)}\n`))
    await removeEarlier(folder, name, modelFile(name, paper))
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && FULL.has(cause.code))
      throw new Fault("full", `${folder}: no space for a model of ${bytes.length} bytes`, { cause })
    throw new Fault("usage", `${folder}: cannot be written (${messageOf(cause)})`, { cause })
  }
  return { name, path, ...paper }
}

const FULL: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EFBIG"])

/** Files of this name that no paper names any more, and what a power cut left half written. */
async function removeEarlier(folder: string, name: string, current: string): Promise<void> {
  for (const file of await readdir(folder)) {
    const rest = file.startsWith(`${name}.`) && file !== current ? file.slice(name.length) : ""
    if (/^\.[0-9a-f]{12}\.onnx(?:\.[0-9a-f]{12}\.new)?$|^\.json\.[0-9a-f]{12}\.new$/.test(rest))
      await rm(join(folder, file), { force: true })
  }
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString("hex")}.new`
  try {
    const file = await open(draft, "wx", 0o644)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined)
    throw error
  }
}
