import { openIdentity } from "../../firmware/control/identity.ts"
import { OwnershipFile } from "../../firmware/control/ownership.ts"
import type { Disk } from "../../firmware/ports.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import type { OwnerKeys } from "../owner/keys.ts"

/** Makes a camera somebody's without the conversation: what pairing would leave in its private area. */
export async function makePaired(disk: Disk, keys: OwnerKeys, cloud: CloudIdentity): Promise<void> {
  const { device } = await openIdentity(disk)
  await new OwnershipFile(disk, device).pair({
    owner: keys.signingKeyFor(device).hex,
    broker: { name: cloud.name, pin: cloud.brokerKey },
    receiptKey: cloud.receiptKey,
    logKey: cloud.logKey,
    recipients: Buffer.from(keys.recipientsFor(device, 1)).toString("base64"),
  })
}
