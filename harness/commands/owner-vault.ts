import { Command } from "commander"
import { type PublicKey, sha256Hex } from "../../firmware/control/keys.ts"
import { Fault, isFault } from "../../firmware/errors.ts"
import type { Reader } from "../cloud/log/recorded-reads.ts"
import { type AlertKind, alertsOf } from "../owner/alerts.ts"
import { bucketSource } from "../owner/bucket-source.ts"
import { type DeletedIds, DeletionBook } from "../owner/deletion.ts"
import { OwnerFolder } from "../owner/folder.ts"
import type { Household } from "../owner/household.ts"
import { beatOf, checkHousehold, confirmedBy, type HouseholdAlert } from "../owner/household-check.ts"
import type { SequenceRange } from "../owner/missing.ts"
import { goneOf } from "../owner/receipts.ts"
import { describeSilence, readTail, type TailView } from "../owner/tail.ts"
import {
  hasLeft,
  isAway,
  type Summary,
  summaryOf,
  Vault,
  type VaultClip,
  type VaultView,
} from "../owner/vault.ts"
import { homeOption, homePaths } from "./options.ts"
import { openOwner } from "./owner.ts"
import { type BucketOptions, openBucketOf, withBucket } from "./owner-bucket.ts"

export interface VaultOptions extends BucketOptions {
  readonly passphraseFile?: string
}

/** One paired camera, as its owner sees it. */
export interface SeenCamera {
  readonly key: PublicKey
  readonly vault: Vault
  readonly view: VaultView
  readonly tail: TailView
  readonly keyAlerts: readonly HouseholdAlert[]
  readonly gone: readonly SequenceRange[]
  /** By the owner, with the cloud's signature under it. */
  readonly deleted: DeletedIds
  /** That its newest heartbeat names; 0: there is none. */
  readonly epoch: number
  /** The epoch that this heartbeat confirms; 0: none. */
  readonly confirmed: number
}

export function ownerListCommand(): Command {
  return vaultCommand("list", "the clips of every paired camera, newest last").action(
    async (options: VaultOptions) => {
      for (const camera of await look(options)) {
        const { key, vault, view } = camera
        const clips = view.clips.filter((clip) => !hasLeft(clip))
        const left = view.clips.length - clips.length
        console.log(
          `camera ${key.id}: ${clips.length} clips${left > 0 ? `, and ${left} deleted or let go` : ""}`,
        )
        for (const clip of clips) console.log(`  ${await describe(vault, clip)}`)
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
      // What is lost is told below, object by object.
      const problems = problemsOf(camera, "lost by the cloud")
      let opened = 0
      for (const clip of view.clips)
        for (const object of [...clip.segments, clip.thumbnail, clip.summary]) {
          if (!object || object.fate === "dropped by the camera" || isAway(object)) continue
          if (camera.deleted.objects.has(object.entry.id))
            problems.push(`object ${object.entry.id}: the cloud signed that it had deleted it, and has it`)
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
  return withBucket(new Command(name).description(description).addOption(homeOption())).option(
    "--passphrase-file <file>",
    "read the passphrase from a file instead of the terminal",
  )
}

/** The household of these options, and where it is kept. @throws Fault "usage" or "refused", definite. */
export async function openHousehold(
  options: VaultOptions,
): Promise<{ readonly folder: OwnerFolder; readonly household: Household }> {
  const folder = new OwnerFolder(homePaths(options.home).owner)
  return { folder, household: await folder.household(await openOwner(options)) }
}

/**
 * Looks at every paired camera through the cloud's bucket, and remembers how far each chain was. `heard`: heartbeats
 * that came straight from the broker, by device; the bucket's are up to a minute old. `reading`: why clips are opened,
 * which the household's own cloud records; null: what is read is only looked through.
 */
export async function look(
  options: VaultOptions,
  opened?: Household,
  heard: ReadonlyMap<string, Uint8Array> = new Map(),
  reading: string | null = null,
): Promise<readonly SeenCamera[]> {
  const paths = homePaths(options.home)
  const household = opened ?? (await openHousehold(options)).household
  const folder = new OwnerFolder(paths.owner)
  const cameras = await folder.cameras()
  if (cameras.length === 0)
    throw new Fault("usage", 'no camera is paired yet; "obscura owner pair" does that')
  const { beats, bucket } = await openBucketOf(options, readerOf(household, reading))
  const source = bucketSource(bucket)
  return Promise.all(
    cameras.map(async (camera) => {
      const deleted = await new DeletionBook(paths.owner).of(camera.id)
      const vault = new Vault(source, camera, household.identity, deleted)
      const view = await vault.view()
      const before = await folder.seen(camera.id)
      const beat = heard.get(camera.id) ?? beats.envelope(camera.id)
      const tail = readTail(view, beat, camera, before, Date.now())
      await folder.remember(camera.id, tail.seen)
      const granted = new Set((await folder.kept("grants", camera.id)).map((envelope) => sha256Hex(envelope)))
      const keyAlerts = checkHousehold(view, beat, camera, household, granted)
      const gone = goneOf(await folder.kept("receipts", camera.id), view.links)
      const epoch = beatOf(beat, camera)?.epoch ?? 0
      const confirmed = confirmedBy(beat, camera, household)
      return { key: camera, vault, view, tail, keyAlerts, gone, deleted, epoch, confirmed }
    }),
  )
}

/** A cloud whose log takes nothing is no reason to keep a clip from its owner. */
function readerOf({ keys }: Household, reason: string | null): Reader | undefined {
  if (reason === null) return undefined
  return {
    by: (device) => ({ role: "owner", key: keys.signingKeyFor(device).id }),
    reason,
    onFault: (error) => console.error(`obscura: this look is not recorded: ${error.message}`),
  }
}

function problemsOf(camera: SeenCamera, but?: AlertKind): string[] {
  return alertsOf(camera).flatMap(({ kind, says }) => (kind === but ? [] : [says]))
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
