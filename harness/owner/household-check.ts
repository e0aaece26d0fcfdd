import { verify } from "../../firmware/control/dsse.ts"
import type { PublicKey } from "../../firmware/control/keys.ts"
import { type Heartbeat, heartbeatShape } from "../../firmware/control/protocol.ts"
import { isFault } from "../../firmware/errors.ts"
import type { Household } from "./household.ts"
import type { VaultObject, VaultView } from "./vault.ts"

/** What an owner should know of the keys for which a camera seals. */
export type HouseholdAlert =
  | {
      readonly kind: "unseen key"
      readonly where: "manifest" | "heartbeat"
      readonly recipients: string
      readonly epoch: number
    }
  | { readonly kind: "unseen viewer"; readonly viewer: string; readonly session: string }
  | { readonly kind: "another owner"; readonly owner: string }
  | {
      readonly kind: "unconfirmed"
      readonly epoch: number
      readonly since: number
      readonly removed: readonly string[]
    }
  | {
      readonly kind: "sent late"
      readonly clips: readonly string[]
      readonly epoch: number
      readonly removed: readonly string[]
    }

/**
 * `envelope`: the heartbeat that the cloud shows as the newest; one that does not verify is `readTail`'s to tell.
 * `granted`: SHA-256 of the grants that this owner has given, as its folder remembers them.
 *
 * unseen key     the camera seals for recipients that this owner has never signed
 * unseen viewer  somebody looked live by a grant that this owner's folder does not have
 * another owner  the camera obeys somebody else's key
 * unconfirmed    the newest recipients were signed, and no heartbeat has named them yet
 * sent late      sealed for an older key, and not shown by the cloud when the newer one was signed: who was removed
 *                then can open it
 */
export function checkHousehold(
  view: Pick<VaultView, "clips" | "epochs" | "looks">,
  envelope: Uint8Array | null,
  camera: PublicKey,
  household: Household,
  granted: ReadonlySet<string> = new Set(),
): readonly HouseholdAlert[] {
  const signed = household.signedFor(camera.id)
  const alerts: HouseholdAlert[] = view.epochs
    .filter(({ recipients, epoch }) => signed.get(recipients)?.epoch !== epoch)
    .map(({ recipients, epoch }) => ({ kind: "unseen key", where: "manifest", recipients, epoch }))
  const beat = beatOf(envelope, camera)
  if (beat && signed.get(beat.recipients)?.epoch !== beat.epoch) {
    const { recipients, epoch } = beat
    alerts.push({ kind: "unseen key", where: "heartbeat", recipients, epoch })
  }
  const owner = household.keys.signingKeyFor(camera.id).id
  for (const { viewer, session, grant } of view.looks)
    if (viewer !== owner && !granted.has(grant)) alerts.push({ kind: "unseen viewer", viewer, session })
  if (beat && beat.owner !== owner) alerts.push({ kind: "another owner", owner: beat.owner })
  return [...alerts, ...unconfirmed(beat, camera, household), ...sentLate(view, camera, household)]
}

/** The epoch that `envelope` confirms: it is the camera's own word, for recipients that this owner has signed; else 0. */
export function confirmedBy(envelope: Uint8Array | null, camera: PublicKey, household: Household): number {
  const beat = beatOf(envelope, camera)
  return beat && household.signedFor(camera.id).get(beat.recipients)?.epoch === beat.epoch ? beat.epoch : 0
}

export function beatOf(envelope: Uint8Array | null, camera: PublicKey): Heartbeat | null {
  if (envelope === null) return null
  try {
    const beat = verify("heartbeat", envelope, camera, heartbeatShape)
    return beat.device === camera.id ? beat : null
  } catch (error) {
    if (!isFault(error)) throw error
    return null
  }
}

function unconfirmed(
  beat: Heartbeat | null,
  camera: PublicKey,
  household: Household,
): readonly HouseholdAlert[] {
  const known = household.camera(camera.id)
  const newest = known?.epochs.at(-1)
  if (!known || known.retired || !newest || newest.epoch === 1) return []
  const confirmed = Math.max(known.confirmed, beat?.epoch ?? 0)
  if (confirmed >= newest.epoch) return []
  const sealsFor = known.epochs.findLast(({ epoch }) => epoch <= confirmed) ?? known.epochs[0]
  const removed = removedBetween(household, sealsFor?.key ?? 0, newest.key)
  return [{ kind: "unconfirmed", epoch: newest.epoch, since: newest.signedAt, removed }]
}

function sentLate(
  { clips }: Pick<VaultView, "clips">,
  camera: PublicKey,
  household: Household,
): readonly HouseholdAlert[] {
  const epochs = household.camera(camera.id)?.epochs ?? []
  return epochs.slice(1).flatMap(({ epoch, key, newest }, position) => {
    const before = epochs[position]
    const removed = before ? removedBetween(household, before.key, key) : []
    if (!before || removed.length === 0) return []
    const late = clips.filter(({ segments, thumbnail, summary }) =>
      [...segments, thumbnail, summary]
        .filter((object): object is VaultObject => object !== null)
        .some((object) => object.epoch === before.epoch && object.sequence > newest),
    )
    if (late.length === 0) return []
    return [{ kind: "sent late", clips: late.map(({ clip }) => clip), epoch, removed }]
  })
}

/** Names of those who have household key `key`, and were members no more when `later` came. */
function removedBetween({ book }: Household, key: number, later: number): readonly string[] {
  return book.members
    .filter(({ from, until }) => until !== null && from <= key && key <= until && until < later)
    .map(({ name }) => name)
}
