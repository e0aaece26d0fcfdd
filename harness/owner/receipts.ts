import { unverified, verify } from "../../firmware/control/dsse.ts"
import type { PublicKey } from "../../firmware/control/keys.ts"
import { type Receipt, receiptShape } from "../../firmware/control/protocol.ts"
import { isFault } from "../../firmware/errors.ts"
import type { ChainLink } from "./chain-view.ts"
import type { SequenceRange } from "./missing.ts"

/**
 * The cloud's receipts, which a camera's owner hears as the camera does, and keeps: what a cloud has signed for, and
 * shows no more, it has lost, whatever it says.
 */

/** null: not the cloud's signature, or of another camera. */
export function readReceipt(envelope: Uint8Array, device: string, cloud: PublicKey): Receipt | null {
  try {
    const receipt = verify("receipt", envelope, cloud, receiptShape)
    return receipt.device === device ? receipt : null
  } catch (error) {
    if (!isFault(error)) throw error
    return null
  }
}

/** The sequences of receipts, verified when they were kept, whose manifests the cloud does not show. */
export function goneOf(kept: readonly Uint8Array[], links: readonly ChainLink[]): readonly SequenceRange[] {
  const shown = new Set(links.map(({ hash }) => hash))
  const gone = new Map<string, SequenceRange>()
  for (const envelope of kept) {
    const receipt = unverified(envelope, receiptShape)
    if (receipt && !shown.has(receipt.manifest))
      gone.set(receipt.manifest, { from: receipt.from, to: receipt.to })
  }
  return [...gone.values()]
}
