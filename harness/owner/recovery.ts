import { type PublicKey, publicKeyFromHex, sha256Hex } from "../../firmware/control/keys.ts"
import { isFault } from "../../firmware/errors.ts"
import { type Backup, NO_BACKUP, readBackup } from "./backup.ts"
import { readChain, type SealedEpoch } from "./chain-view.ts"
import { Household } from "./household.ts"
import { type Book, type BookCamera, EMPTY_BOOK } from "./household-book.ts"
import { beatOf } from "./household-check.ts"
import type { OwnerKeys } from "./keys.ts"
import type { ObjectSource } from "./vault.ts"

/** The newest heartbeats that a cloud shows. Nothing they say is believed before it is verified. */
export interface BeatSource {
  devices(): readonly string[]
  envelope(device: string): Uint8Array | null
  latest(device: string): { readonly key: string } | null
}

export interface Recovered {
  readonly household: Household
  readonly backup: Backup
  /** Cameras that no book tells of, found by their heartbeats. */
  readonly unlisted: readonly string[]
  /** Cameras that seal for a key which neither root nor book has: the cloud shows an old book, or none. */
  readonly lostKeys: readonly string[]
}

/**
 * A household again, from its root and an untrusted cloud alone: the newest book in the household's own mailbox, and
 * every camera whose heartbeat names this owner. The name is a key that follows from root and device: nobody else can
 * make a camera that bears it.
 */
export async function recover(keys: OwnerKeys, source: ObjectSource, beats: BeatSource): Promise<Recovered> {
  const kept = await readBackup(source, keys)
  let household = await Household.of(keys, kept?.book ?? EMPTY_BOOK)
  const unlisted: string[] = []
  const lostKeys: string[] = []
  for (const device of beats.devices()) {
    const camera = ownCamera(device, keys, beats)
    if (!camera) continue
    const beat = beatOf(beats.envelope(device), camera)
    const named = readChain(await source.manifests(device), camera).epochs.concat(beat ?? [])
    if (!household.camera(device)) {
      unlisted.push(device)
      const epochs = recognised(household, device, named)
      if (epochs.length > 0)
        household = await Household.of(keys, withFound(household.book, camera, epochs, beat?.epoch ?? 0))
      else lostKeys.push(device)
    } else if (beat && !household.signedFor(device).has(beat.recipients)) lostKeys.push(device)
  }
  return { household, backup: kept?.backup ?? NO_BACKUP, unlisted, lostKeys }
}

/** null: another owner's, or a heartbeat that its camera did not sign. */
function ownCamera(device: string, keys: OwnerKeys, beats: BeatSource): PublicKey | null {
  try {
    const camera = publicKeyFromHex(beats.latest(device)?.key ?? "")
    const beat = camera.id === device ? beatOf(beats.envelope(device), camera) : null
    return beat?.owner === keys.signingKeyFor(device).id ? camera : null
  } catch (error) {
    if (!isFault(error)) throw error
    return null
  }
}

/** Which of the recipients that a camera names this owner must have signed, for one of the household's keys. */
function recognised(
  household: Household,
  device: string,
  named: readonly SealedEpoch[],
): readonly BookCamera["epochs"][number][] {
  const found = new Map<number, BookCamera["epochs"][number]>()
  for (const { epoch, recipients } of named)
    for (let key = 0; key <= household.book.keys.length; key++) {
      const signed = { epoch, key, signedAt: 0, newest: -1 }
      if (sha256Hex(household.recipientsEnvelope(device, signed)) === recipients) found.set(epoch, signed)
    }
  return [...found.values()].sort((a, b) => a.epoch - b.epoch)
}

function withFound(
  book: Book,
  camera: PublicKey,
  epochs: readonly BookCamera["epochs"][number][],
  confirmed: number,
): Book {
  const found: BookCamera = {
    device: camera.id,
    key: camera.hex,
    epochs: [...epochs],
    confirmed,
    retired: false,
  }
  return { ...book, version: book.version + 1, cameras: [...book.cameras, found] }
}
