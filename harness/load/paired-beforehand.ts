import { openIdentity } from "../../firmware/control/identity.ts"
import type { PublicKey } from "../../firmware/control/keys.ts"
import { OwnershipFile, type PairingRecord } from "../../firmware/control/ownership.ts"
import type { Disk } from "../../firmware/ports.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import { OwnerKeys } from "../owner/keys.ts"
import type { Owner } from "./pairing.ts"

/**
 * Pairing without the conversation, for fleets of thousands: what it would leave, an owner for each camera all the same.
 * `devices` by their index in the fleet.
 */
export async function ownersOf(
  devices: readonly (readonly [index: number, device: PublicKey])[],
  cloud: CloudIdentity,
  onOwned: () => void,
): Promise<readonly { readonly owner: Owner; readonly record: PairingRecord }[]> {
  const owned: { readonly owner: Owner; readonly record: PairingRecord }[] = []
  for (const [index, camera] of devices) {
    const keys = await OwnerKeys.create()
    owned.push({ owner: { index, keys, camera }, record: pairingRecordOf(keys, camera.id, cloud) })
    onOwned()
  }
  return owned
}

/** What a camera keeps of its pairing. */
export function pairingRecordOf(keys: OwnerKeys, device: string, cloud: CloudIdentity): PairingRecord {
  return {
    owner: keys.signingKeyFor(device).hex,
    broker: { name: cloud.name, pin: cloud.brokerKey },
    receiptKey: cloud.receiptKey,
    logKey: cloud.logKey,
    recipients: Buffer.from(keys.recipientsFor(device, 1)).toString("base64"),
  }
}

/** Puts it where pairing would: in the camera's private area. */
export async function takeOwner(disk: Disk, record: PairingRecord): Promise<void> {
  await new OwnershipFile(disk, await openIdentity(disk)).pair(record)
}
