import { readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Argument, Command } from "commander"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import { makeFolder } from "../../hardware/make-folder.ts"
import { readBucket } from "../cloud/bucket.ts"
import { bucketSource } from "../owner/bucket-source.ts"
import { OwnerFolder } from "../owner/folder.ts"
import type { OwnerKeys } from "../owner/keys.ts"
import { openAge } from "../owner/open-age.ts"
import { type Summary, summaryOf, Vault, type VaultClip, type VaultView } from "../owner/vault.ts"
import { homeOption, homePaths } from "./options.ts"
import { openOwner } from "./owner.ts"

interface VaultOptions {
  readonly home: string
  readonly bucket?: string
  readonly passphraseFile?: string
}

/** One paired camera, as its owner sees it. */
interface Seen {
  readonly device: string
  readonly vault: Vault
  readonly view: VaultView
}

export function ownerListCommand(): Command {
  return vaultCommand("list", "the clips of every paired camera, newest last").action(
    async (options: VaultOptions) => {
      for (const { device, vault, view } of await look(options)) {
        console.log(`camera ${device}: ${view.clips.length} clips`)
        for (const clip of view.clips) console.log(`  ${await describe(vault, clip)}`)
        for (const alert of view.alerts) console.log(`  ! ${JSON.stringify(alert)}`)
      }
    },
  )
}

export function ownerOpenCommand(): Command {
  return vaultCommand("open", "open clips as playable MP4, or a single .age file, with this owner's key")
    .addArgument(
      new Argument("[what...]", "clip ids or beginnings of them, .age files, or nothing for every clip"),
    )
    .option("--out <dir>", "where the opened files go", "opened")
    .action(async (what: readonly string[], options: VaultOptions & { readonly out: string }) => {
      await makeFolder(options.out)
      const files = await Promise.all(what.map(async (each) => ((await isFile(each)) ? each : null)))
      const keys = await openOwner(options)
      for (const file of files) if (file !== null) await openFile(file, keys, options.out)
      const clips = what.filter((_, position) => files[position] === null)
      if (clips.length > 0 || what.length === 0) await openClips(clips, options, keys)
    })
}

export function ownerVerifyCommand(): Command {
  return vaultCommand(
    "verify",
    "check every signature, hash and gap, and open everything; exit code 1 if anything is amiss",
  ).action(async (options: VaultOptions) => {
    let amiss = 0
    for (const { device, vault, view } of await look(options)) {
      const problems = view.alerts.map((alert) => JSON.stringify(alert))
      let opened = 0
      for (const clip of view.clips)
        for (const object of [...clip.segments, clip.thumbnail, clip.summary]) {
          if (!object || object.fate === "dropped by the camera") continue
          try {
            await vault.open(object)
            opened++
          } catch (error) {
            if (!isFault(error)) throw error
            problems.push(`${object.entry.kind} ${object.entry.index} of clip ${clip.clip}: ${error.message}`)
          }
        }
      console.log(`camera ${device}: ${opened} objects opened and checked, ${problems.length} amiss`)
      for (const problem of problems) console.log(`  ! ${problem}`)
      amiss += problems.length
    }
    if (amiss > 0) process.exitCode = 1
  })
}

function vaultCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(homeOption())
    .option("--bucket <dir>", "the cloud's bucket, if it is not this household's own")
    .option("--passphrase-file <file>", "read the passphrase from a file instead of the terminal")
}

async function look(options: VaultOptions, keys?: OwnerKeys): Promise<readonly Seen[]> {
  const paths = homePaths(options.home)
  const owner = keys ?? (await openOwner(options))
  const cameras = await new OwnerFolder(paths.owner).cameras()
  if (cameras.length === 0)
    throw new Fault("usage", 'no camera is paired yet; "obscura owner pair" does that')
  const source = bucketSource(await readBucket(options.bucket ?? join(paths.cloud, "bucket")))
  return Promise.all(
    cameras.map(async (camera) => {
      const vault = new Vault(source, camera, owner.identity)
      return { device: camera.id, vault, view: await vault.view() }
    }),
  )
}

async function describe(vault: Vault, clip: VaultClip): Promise<string> {
  const summary: Summary | null =
    clip.summary?.fate === "received" ? await summaryOf(vault, clip.summary) : null
  const fates = new Set(clip.segments.map(({ fate }) => fate))
  const state = clip.whole
    ? clip.cut
      ? "whole up to a power cut"
      : "whole"
    : clip.ended
      ? [...fates].join(", ")
      : "not finished"
  const when = summary ? new Date(summary.startedAt.at).toISOString() : "time unknown"
  const length = summary ? `${(summary.duration / 1_000).toFixed(1)} s` : "? s"
  const what = summary ? [summary.trigger, summary.label].filter(Boolean).join(", ") : "no summary"
  return `${clip.clip}  ${when}  ${length.padStart(7)}  ${String(clip.segments.length).padStart(3)} segments  ${state}  ${what}`
}

async function openClips(
  wanted: readonly string[],
  options: VaultOptions & { readonly out: string },
  keys: OwnerKeys,
): Promise<void> {
  const unseen = new Set(wanted)
  let failed = 0
  for (const { vault, view } of await look(options, keys))
    for (const clip of view.clips) {
      const asked = wanted.filter((each) => clip.clip.startsWith(each))
      if (wanted.length > 0 && asked.length === 0) continue
      for (const each of asked) unseen.delete(each)
      try {
        await write(join(options.out, `${clip.clip}.mp4`), await vault.openClip(clip))
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

async function openFile(file: string, keys: OwnerKeys, out: string): Promise<void> {
  const bytes = await readFile(file)
  try {
    const name =
      file
        .split("/")
        .at(-1)
        ?.replace(/\.age$/, "") ?? "opened"
    await write(join(out, `${name}.bin`), await openAge(bytes, keys.identity))
  } catch (error) {
    if (!isFault(error) || error.kind === "usage") throw error
    throw new Fault("refused", `${file}: ${error.message}`, { cause: error })
  }
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(path, bytes, { mode: 0o600 })
  } catch (cause) {
    throw new Fault("usage", `${path}: cannot be written (${messageOf(cause)})`, { cause })
  }
  console.log(path)
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() === true
}
