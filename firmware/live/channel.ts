import { createCipheriv, createDecipheriv, generateKeyPairSync, type KeyObject } from "node:crypto"
import { namedBytes, partsOf, type SealedPart } from "../control/live-messages.ts"
import { hkdf } from "../delivery/age-hkdf.ts"
import { CIPHER, TAG_BYTES } from "../delivery/age-payload.ts"
import { sharedSecret, x25519Point, x25519PublicKey } from "../delivery/age-x25519.ts"
import { Fault } from "../errors.ts"

/**
 * The keys of one session, and what is sealed with them. Both sides make fresh X25519 keys for it and forget them with it:
 *
 *   secret = X25519(own private, other's public)
 *   key = HKDF-SHA-256(secret, salt = SHA-256 of the camera's signed "live" envelope, info = the direction)
 *
 * That envelope names grant, ask, viewer, session and both public keys, so whoever saw another of them has other keys.
 * A key seals in one direction alone; its nonces count up and are never used again.
 */

export interface Ephemeral {
  readonly secret: KeyObject
  /** Hex. */
  readonly point: string
}

export type Direction = "pictures" | "reports"

export function newEphemeral(): Ephemeral {
  const { privateKey, publicKey } = generateKeyPairSync("x25519")
  return { secret: privateKey, point: x25519Point(publicKey).toString("hex") }
}

/** @throws Fault "malformed": the other's key is of low order. */
export function agree(own: Ephemeral, other: string): Buffer {
  return sharedSecret(own.secret, x25519PublicKey(Buffer.from(other, "hex")))
}

/** `live`: SHA-256 of the envelope, hex. */
export function keyFor(secret: Uint8Array, live: string, direction: Direction): Buffer {
  return hkdf(secret, Buffer.from(live, "hex"), `obscura live v1 ${direction}`)
}

const NONCE_BYTES = 12
/** This cipher need not know it beforehand, though node's typings say so. */
const LENGTH_UNKNOWN = { plaintextLength: 0 }

/** 0 u32 · counter u64 */
function nonceOf(counter: number): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES)
  nonce.writeBigUInt64BE(BigInt(counter), 4)
  return nonce
}

/** One direction, from whoever seals. */
export class SealingEnd {
  readonly #session: string
  readonly #key: Buffer
  #counter = 0

  constructor(session: string, key: Buffer) {
    this.#session = session
    this.#key = key
  }

  /** Of the message sealed last; 0 before the first. */
  get counter(): number {
    return this.#counter
  }

  /** `pieces`, joined, as messages of at most PAYLOAD_BYTES_MAX: header and bytes of each. */
  seal(pieces: readonly Uint8Array[]): readonly (readonly [Buffer, Buffer])[] {
    const named = namedBytes(this.#session, ++this.#counter)
    const cipher = createCipheriv(CIPHER, this.#key, nonceOf(this.#counter), { authTagLength: TAG_BYTES })
    cipher.setAAD(named, LENGTH_UNKNOWN)
    const sealed = pieces.map((piece) => cipher.update(piece))
    cipher.final()
    return [...partsOf(named, Buffer.concat([...sealed, cipher.getAuthTag()]))]
  }

  forget(): void {
    this.#key.fill(0)
  }
}

/** One direction, to whoever opens. Counters must rise: what was there before is not there again. */
export class OpeningEnd {
  readonly #session: string
  readonly #key: Buffer
  #counter = 0

  constructor(session: string, key: Buffer) {
    this.#session = session
    this.#key = key
  }

  /** Of the message opened last; 0 before the first. */
  get counter(): number {
    return this.#counter
  }

  /**
   * `sealed`: ciphertext and tag, whole.
   * @throws Fault "tampered": of another session, repeated, or altered. Nothing of it was handed out then.
   */
  open(
    { session, counter, named }: Pick<SealedPart, "session" | "counter" | "named">,
    sealed: Buffer,
  ): Buffer {
    if (session !== this.#session) throw new Fault("tampered", "a live message of another session")
    if (counter <= this.#counter) throw new Fault("tampered", "a live message that was there before")
    if (sealed.length < TAG_BYTES) throw new Fault("tampered", "a live message without a seal")
    const decipher = createDecipheriv(CIPHER, this.#key, nonceOf(counter), { authTagLength: TAG_BYTES })
    decipher.setAAD(named, LENGTH_UNKNOWN)
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
    const plain = decipher.update(sealed.subarray(0, -TAG_BYTES))
    try {
      decipher.final()
    } catch (cause) {
      plain.fill(0)
      throw new Fault("tampered", "a live message whose seal does not hold", { cause })
    }
    this.#counter = counter
    return plain
  }

  forget(): void {
    this.#key.fill(0)
  }
}
