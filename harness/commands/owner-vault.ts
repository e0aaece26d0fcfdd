import { join } from "node:path"
import { Command } from "commander"
import type { PublicKey } from "../../firmware/control/keys.ts"
import { Fault, isFault } from "../../firmware/errors.ts"
import { openBeats } from "../cloud/beats.ts"
import { readBucket } from "../cloud/bucket.ts"
import { bucketSource } from "../owner/bucket-source.ts"
import { OwnerFolder } from "../owner/folder.ts"
import type { OwnerKeys } from "../owner/keys.ts"
import { describeSilence, describeTail, readTail, type TailView } from "../owner/tail.ts"
import { type Summary, summaryOf, Vault, type VaultClip, type VaultView } from "../owner/vault.ts"
import { homeOption, homePaths } from "./options.ts"
import { openOwner } from "./owner.ts"

export interface VaultOptions {
  readonly home: string
  readonly bucket?: string
  readonly passphraseFile?: string
}

/** One paired camera, as its owner sees it. */
export interface SeenCamera {
  readonly key: PublicKey
  readonly vault: Vault
  readonly view: VaultView
  readonly tail: TailView
}

export function ownerListCommand(): Command {
  return vaultCommand("list", "the clips of every paired camera, newest last").action(
    async (options: VaultOptions) => {
      for (const camera of await look(options)) {
        const { key, vault, view } = camera
        console.log(`camera ${key.id}: ${view.clips.length} clips`)
        for (const clip of view.clips) console.log(`  ${await describe(vault, clip)}`)
        for (const problem of problemsOf(camera)) console.log(`  ! ${problem}`)
      }
    },
  )
}

export function ownerVerifyCommand(): Command {
  return vaultCommand(
    "verify",
    "check every signature, hash, gap and the chain's end, and open everything; exit code 1 if anything is amiss",
  ).action(async (options: VaultOptions) => {
    let amiss = 0
    for (const camera of await look(options)) {
      const { key, vault, view, tail } = camera
      const problems = problemsOf(camera)
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
      console.log(`camera ${key.id}: ${opened} objects opened and checked, ${problems.length} amiss`)
      for (const problem of problems) console.log(`  ! ${problem}`)
      const silence = describeSilence(tail.silentSince)
      if (silence !== null) console.log(`  - ${silence}`)
      amiss += problems.length
    }
    if (amiss > 0) process.exitCode = 1
  })
}

export function vaultCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(homeOption())
    .option("--bucket <dir>", "the cloud's bucket, if it is not this household's own")
    .option("--passphrase-file <file>", "read the passphrase from a file instead of the terminal")
}

/** Looks at every paired camera through the cloud's bucket, and remembers how far each chain was. */
export async function look(options: VaultOptions, keys?: OwnerKeys): Promise<readonly SeenCamera[]> {
  const paths = homePaths(options.home)
  const owner = keys ?? (await openOwner(options))
  const folder = new OwnerFolder(paths.owner)
  const cameras = await folder.cameras()
  if (cameras.length === 0)
    throw new Fault("usage", 'no camera is paired yet; "obscura owner pair" does that')
  const directory = options.bucket ?? join(paths.cloud, "bucket")
  // Heartbeats first: what they announce, a cloud that runs meanwhile may only have more of.
  const beats = await openBeats(directory)
  const source = bucketSource(await readBucket(directory))
  return Promise.all(
    cameras.map(async (camera) => {
      const vault = new Vault(source, camera, owner.identity)
      const view = await vault.view()
      const before = await folder.seen(camera.id)
      const tail = readTail(view, beats.envelope(camera.id), camera, before, Date.now())
      await folder.remember(camera.id, tail.seen)
      return { key: camera, vault, view, tail }
    }),
  )
}

function problemsOf({ view, tail }: SeenCamera): string[] {
  return [...view.alerts.map((alert) => JSON.stringify(alert)), ...tail.alerts.map(describeTail)]
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
