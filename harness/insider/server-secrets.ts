import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { bech32 } from "@scure/base"
import { type SigningKey, signingKeyOf } from "../../firmware/control/keys.ts"
import { type Identity, identityFromText } from "../owner/age-identity.ts"

/** The cloud's own secrets in its key file: 32 bytes each, in hex. */
export async function seedsOf(keyFile: string): Promise<readonly Uint8Array[]> {
  const content: unknown = JSON.parse(await readFile(keyFile, "utf8"))
  return Object.values(content ?? {}).flatMap((value) =>
    typeof value === "string" && /^[0-9a-f]{64}$/.test(value) ? [Buffer.from(value, "hex")] : [],
  )
}

export async function serverKeys(keyFile: string): Promise<readonly SigningKey[]> {
  return (await seedsOf(keyFile)).map(signingKeyOf)
}

/**
 * What `secret` may be as a key that opens age files: itself, the X25519 secret of the Ed25519 key that it makes
 * (RFC 8032 §5.1.5: the first half of its SHA-512), and its SHA-256, which is how people make keys of words.
 */
export function identitiesOf(secret: Uint8Array): readonly Identity[] {
  const half = createHash("sha512").update(secret).digest().subarray(0, 32)
  const hashed = createHash("sha256").update(secret).digest()
  return [...(secret.length === 32 ? [secret] : []), half, hashed].map(identityOf)
}

export function identityOf(secret: Uint8Array): Identity {
  return identityFromText(bech32.encode("age-secret-key-", bech32.toWords(secret), false).toUpperCase())
}
