import { Command, InvalidArgumentError, Option } from "commander"

import { processClock } from "../clock.ts"
import { installModel } from "./install-model.ts"
import { KNOWN_MODELS } from "./known-models.ts"
import { ModelDetector } from "./model-detector.ts"
import { type InstalledModel, installedModels } from "./model-store.ts"
import type { ThreadFile } from "./thread.ts"

export interface ModelCommandParts<Place> {
  /** Adds the options that say where models are kept. */
  readonly withPlace: (command: Command) => Command
  /** The folder that is written to, once somebody may. */
  readonly folderOf: (place: Place) => Promise<string>
  /** Looked at besides, when models are listed. */
  readonly otherFolders: readonly string[]
  readonly threads: { readonly model: ThreadFile; readonly wasmFile: string }
  readonly print: (line: string) => void
}

const HELP = `
Nothing is fetched that you do not name. A model is installed if its SHA-256 is one that "model list" knows, or one that
--sha256 names, and is shown with its licence. Any YOLOX or NanoDet of COCO's 80 classes will do, as ONNX; a file of other
shapes is refused.`

/** `model install` and `model list`, of both programs. */
export function modelCommand<Place extends object>(parts: ModelCommandParts<Place>): Command {
  return new Command("model")
    .description("install the model by which a camera tells who is there, or list what is there")
    .addHelpText("after", HELP)
    .addCommand(
      parts
        .withPlace(new Command("install").argument("<file|url>", "an ONNX file, or an http(s) address"))
        .description("install a model whose SHA-256 is known, or named here")
        .addOption(
          new Option("--sha256 <hex>", "what its SHA-256 has to be, for a model that is not known").argParser(
            parseHash,
          ),
        )
        .action((from: string, options: Place & { readonly sha256?: string }) =>
          install(parts, from, options),
        ),
    )
    .addCommand(
      parts
        .withPlace(new Command("list"))
        .description("what is installed, and what is known")
        .option("--json", "for machines")
        .action((options: Place & { readonly json?: boolean }) => list(parts, options)),
    )
}

async function install<Place extends object>(
  { folderOf, threads, print }: ModelCommandParts<Place>,
  from: string,
  options: Place & { readonly sha256?: string },
): Promise<void> {
  const stop = new AbortController()
  const onInterrupt = () => stop.abort()
  process.once("SIGINT", onInterrupt)
  try {
    const folder = await folderOf(options)
    const tryOut = (path: string) => opens(path, threads)
    const { sha256 } = options
    const order = { from, folder, tryOut, signal: stop.signal, ...(sha256 === undefined ? {} : { sha256 }) }
    for (const line of linesOf(await installModel(order))) print(line)
  } finally {
    process.removeListener("SIGINT", onInterrupt)
  }
}

/** Loads it, as a camera would, and lets go of it. */
export async function opens(
  model: string,
  { model: program, wasmFile }: ModelCommandParts<object>["threads"],
): Promise<void> {
  const detector = new ModelDetector({
    ...{ model, program, wasmFile, clock: processClock(), log: { write: () => undefined } },
  })
  try {
    await detector.open()
  } finally {
    await detector.close()
  }
}

function linesOf({ name, path, bytes, sha256, licence, source }: InstalledModel): readonly string[] {
  return [
    `installed   ${name}, ${bytes} bytes: ${path}`,
    `sha256      ${sha256}`,
    `licence     ${licence ?? "not known to obscura: ask where it comes from"}`,
    `source      ${source}`,
  ]
}

async function list<Place extends object>(
  { folderOf, otherFolders, print }: ModelCommandParts<Place>,
  options: Place & { readonly json?: boolean },
): Promise<void> {
  const folders = [await folderOf(options), ...otherFolders]
  const installed = (await Promise.all(folders.map(installedModels))).flat()
  if (options.json) {
    print(JSON.stringify({ installed, known: KNOWN_MODELS }, null, 2))
    return
  }
  if (installed.length === 0) print("none is installed")
  for (const model of installed) for (const line of linesOf(model)) print(line)
  for (const { name, sha256, bytes, licence, source, says } of KNOWN_MODELS) {
    print(`known       ${name}: ${says}, ${bytes} bytes`)
    print(`sha256      ${sha256}`)
    print(`licence     ${licence}`)
    print(`source      ${source}`)
  }
}

/** As `sha256sum` prints it. */
export function parseHash(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase()
  throw new InvalidArgumentError("64 hex digits are wanted, as sha256sum prints them.")
}
