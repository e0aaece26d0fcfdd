import { readFile, stat } from "node:fs/promises"
import { basename, join } from "node:path"
import { Argument, type Command } from "commander"
import { Fault, isFault } from "../../firmware/errors.ts"
import type { Household } from "../owner/household.ts"
import { openAge } from "../owner/open-age.ts"
import { hasLeft, type Vault, type VaultClip, type VaultObject } from "../owner/vault.ts"
import { look, openHousehold, type VaultOptions, vaultCommand } from "./owner-vault.ts"
import { writePrivate } from "./private-file.ts"

interface OpenOptions extends VaultOptions {
  readonly out: string
  readonly sealed?: boolean
}

const HELP = `
With --sealed nothing is opened: each clip becomes a folder of plain age files, in the order in which they join to one
film, with thumbnail and summary in a folder of their own. Stock age opens them:
  obscura owner keys --identity > key
  for s in opened/CLIP/*.age; do age -d -i key "$s"; done > clip.mp4`

export function ownerOpenCommand(): Command {
  return vaultCommand(
    "open",
    "open clips as playable MP4, or single .age files (as NAME.bin), with this owner's key",
  )
    .addArgument(
      new Argument("[what...]", "clip ids or beginnings of them, .age files, or nothing for every clip"),
    )
    .option("--out <dir>", "where the opened files go", "opened")
    .option("--sealed", "leave clips sealed: write their objects as age files that any age tool opens")
    .addHelpText("after", HELP)
    .action(async (what: readonly string[], options: OpenOptions) => {
      const files = await Promise.all(what.map(async (each) => ((await isFile(each)) ? each : null)))
      const { household } = await openHousehold(options)
      for (const file of files) if (file !== null) await openFile(file, household, options.out)
      const clips = what.filter((_, position) => files[position] === null)
      if (clips.length > 0 || what.length === 0) await openClips(clips, options, household)
    })
}

async function openClips(
  wanted: readonly string[],
  options: OpenOptions,
  household: Household,
): Promise<void> {
  const unseen = new Set(wanted)
  let failed = 0
  for (const { vault, view } of await look(options, household, undefined, "the owner opens a clip"))
    for (const clip of view.clips) {
      const asked = wanted.filter((each) => clip.clip.startsWith(each))
      if (wanted.length > 0 ? asked.length === 0 : hasLeft(clip)) continue
      for (const each of asked) unseen.delete(each)
      try {
        if (options.sealed) await writeSealed(join(options.out, clip.clip), vault, clip)
        else await write(join(options.out, `${clip.clip}.mp4`), await vault.openClip(clip))
      } catch (error) {
        if (!isFault(error) || error.kind === "usage") throw error
        console.error(`obscura: ${error.message}`)
        failed++
      }
    }
  if (unseen.size > 0)
    throw new Fault("usage", `no clip begins with ${[...unseen].join(", ")}; "obscura owner list" shows them`)
  if (failed > 0) process.exitCode = 1
}

/**
 * `folder/000000.age`, … join to the film; what is not part of it lies beside. A clip with a hole is not written, as it
 * would not be opened.
 */
async function writeSealed(folder: string, vault: Vault, clip: VaultClip): Promise<void> {
  vault.checkWhole(clip)
  const about = [clip.thumbnail, clip.summary].filter((object) => object?.fate === "received")
  const put = async (path: string, object: VaultObject) =>
    writePrivate(join(folder, path), await vault.sealed(object))
  // All of one width, so that a shell's `*` gives them in order.
  for (const segment of clip.segments)
    await put(`${String(segment.entry.index).padStart(6, "0")}.age`, segment)
  for (const object of about) if (object) await put(join("about", `${object.entry.kind}.age`), object)
  console.log(folder)
}

async function openFile(file: string, { identity }: Household, out: string): Promise<void> {
  const bytes = await readFile(file)
  try {
    await write(join(out, `${basename(file).replace(/\.age$/, "")}.bin`), await openAge(bytes, identity))
  } catch (error) {
    if (!isFault(error) || error.kind === "usage") throw error
    throw new Fault("refused", `${file}: ${error.message}`, { cause: error })
  }
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  await writePrivate(path, bytes)
  console.log(path)
}

/** What cannot be looked at is taken for a clip id, and refused as that. */
async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch (error) {
    if (error instanceof Error && "code" in error) return false
    throw error
  }
}
