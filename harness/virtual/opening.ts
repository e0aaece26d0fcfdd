import { bech32 } from "@scure/base"
import { type Identity, identityFromText } from "../owner/age-identity.ts"
import { openAge } from "../owner/open-age.ts"
import { isRefusalToOpen, type VaultClip, type VaultObject } from "../owner/vault.ts"

/** Does `identity` open this sealed object? A refusal is an answer; anything else that goes wrong is thrown. */
export async function opens(object: Uint8Array, identity: Identity): Promise<boolean> {
  try {
    await openAge(object, identity)
    return true
  } catch (error) {
    if (!isRefusalToOpen(error)) throw error
    return false
  }
}

/** A secret of the cloud's, tried as if it were an age key. */
export function identityFromSeed(seed: Uint8Array): Identity {
  return identityFromText(bech32.encode("age-secret-key-", bech32.toWords(seed), false).toUpperCase())
}

export function objectsOf({ segments, thumbnail, summary }: VaultClip): readonly VaultObject[] {
  return [...segments, thumbnail, summary].filter((object) => object !== null)
}
