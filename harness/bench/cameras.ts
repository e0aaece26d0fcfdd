import { openIdentity } from "../../firmware/control/identity.ts"
import type { Disk } from "../../firmware/ports.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import { pairingRecordOf, takeOwner } from "../load/paired-beforehand.ts"
import type { OwnerKeys } from "../owner/keys.ts"

/** Makes a camera somebody's without the conversation: what pairing would leave in its private area. */
export async function makePaired(disk: Disk, keys: OwnerKeys, cloud: CloudIdentity): Promise<void> {
  const { device } = await openIdentity(disk)
  await takeOwner(disk, pairingRecordOf(keys, device, cloud))
}
