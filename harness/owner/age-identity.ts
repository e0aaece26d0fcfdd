import { createDecipheriv, createPrivateKey, createPublicKey, type KeyObject, randomBytes } from "node:crypto"
import { bech32 } from "@scure/base"
import { Decrypter, identityToRecipient } from "age-encryption"
import { FILE_KEY_BYTES, type Stanza } from "../../firmware/delivery/age-header.ts"
import { CIPHER, TAG_BYTES } from "../../firmware/delivery/age-payload.ts"
import {
  sharedSecret,
  wrapKeyOf,
  X25519_BYTES,
  x25519Point,
  x25519PublicKey,
  ZERO_NONCE,
} from "../../firmware/delivery/age-x25519.ts"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { decodeBase64, type Header } from "./age-header.ts"

/** A household's secret key. It opens headers and never shows itself: no text, no JSON, no error holds it. */
export interface Identity {
  readonly kind: IdentityKind
  /**
   * The file key, its MAC over the header not yet checked; null where no stanza is for this identity.
   * Rejects with Fault "malformed" for a stanza of its kind that is none, with Fault "tampered" for a header whose
   * MAC does not hold. Definite.
   */
  unwrap(header: Header): Promise<Uint8Array | null>
}

export type IdentityKind = "x25519" | "post-quantum"

export interface HouseholdKey {
  /** `AGE-SECRET-KEY-1…` or `AGE-SECRET-KEY-PQ-1…`, as age's own tools take it. Secret. */
  readonly secretText: string
  /** `age1…` or `age1pq1…`. */
  readonly recipientText: string
}

const PREFIX = { x25519: "age-secret-key-", "post-quantum": "age-secret-key-pq-" } as const

/** 32 bytes from the platform's secure source, as a key that age's tools know as well. */
export async function newHouseholdIdentity(kind: IdentityKind): Promise<HouseholdKey> {
  const secret = randomBytes(32)
  const secretText = bech32.encode(PREFIX[kind], bech32.toWords(secret), false).toUpperCase()
  secret.fill(0)
  return { secretText, recipientText: await identityToRecipient(secretText) }
}

/** @throws Fault "malformed", definite: not an age identity. The text is not repeated in the message. */
export function identityFromText(text: string): Identity {
  const { prefix, bytes } = decode(text.trim())
  if (bytes.length !== 32) throw new Fault("malformed", "an age identity of the wrong length")
  switch (prefix) {
    case PREFIX.x25519:
      return x25519Identity(bytes)
    case PREFIX["post-quantum"]:
      return postQuantumIdentity(text.trim())
    default:
      throw new Fault("malformed", "not an age identity: it should begin with AGE-SECRET-KEY-1 or -PQ-1")
  }
}

function decode(text: string): { prefix: string; bytes: Uint8Array } {
  try {
    // Upper case is how age writes identities, and the only spelling its tools read.
    if (text !== text.toUpperCase() || text.length > 200) throw new Error("not upper case, or too long")
    const { prefix, words } = bech32.decode(text.toLowerCase() as `${string}1${string}`, false)
    return { prefix, bytes: bech32.fromWords(words) }
  } catch {
    // No cause: the library's messages quote the text.
    throw new Fault("malformed", "not an age identity: mistyped or cut short")
  }
}

function x25519Identity(secret: Uint8Array): Identity {
  // RFC 8037. Node takes x as a matter of form, and works it out from d.
  const jwk = { kty: "OKP", crv: "X25519", x: "", d: Buffer.from(secret).toString("base64url") }
  const privateKey = createPrivateKey({ key: jwk, format: "jwk" })
  secret.fill(0)
  const point = x25519Point(createPublicKey(privateKey))
  return {
    kind: "x25519",
    unwrap: async ({ stanzas }) => {
      for (const stanza of stanzas) {
        if (stanza.args[0] !== "X25519") continue
        const fileKey = unwrapX25519(stanza, privateKey, point)
        if (fileKey !== null) return fileKey
      }
      return null
    },
  }
}

function unwrapX25519({ args, body }: Stanza, privateKey: KeyObject, point: Uint8Array): Uint8Array | null {
  const share = decodeBase64(args[1] ?? "")
  if (args.length !== 2 || share.length !== X25519_BYTES || body.length !== FILE_KEY_BYTES + TAG_BYTES)
    throw new Fault("malformed", "not an X25519 stanza of age")
  const key = wrapKeyOf(sharedSecret(privateKey, x25519PublicKey(share)), share, point)
  const decipher = createDecipheriv(CIPHER, key, ZERO_NONCE, { authTagLength: TAG_BYTES })
  key.fill(0)
  decipher.setAuthTag(body.subarray(FILE_KEY_BYTES))
  const fileKey = decipher.update(body.subarray(0, FILE_KEY_BYTES))
  try {
    decipher.final()
    return fileKey
  } catch {
    // The tag is how an age stanza says that it is for somebody else.
    return null
  }
}

/** Through typage, which checks the MAC as well. */
function postQuantumIdentity(text: string): Identity {
  return {
    kind: "post-quantum",
    unwrap: async (header) => {
      let forUs = true
      const decrypter = new Decrypter()
      decrypter.addIdentity(text)
      // Asked only after the identity before it found nothing.
      decrypter.addIdentity({
        unwrapFileKey: () => {
          forUs = false
          return null
        },
      })
      try {
        return await decrypter.decryptHeader(header.bytes)
      } catch (cause) {
        if (!forUs) return null
        throw messageOf(cause) === "invalid header HMAC"
          ? new Fault("tampered", "the age header's MAC does not hold", { cause })
          : new Fault("malformed", "not a post-quantum stanza of age", { cause })
      }
    },
  }
}
