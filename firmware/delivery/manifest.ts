import { sign, verify } from "../control/dsse.ts"
import type { Identity } from "../control/identity.ts"
import { sha256Hex } from "../control/keys.ts"
import { type Entry, type Manifest, manifestShape, NO_MANIFEST } from "../control/protocol.ts"
import { Fault } from "../errors.ts"

/**
 * A camera's chain: each manifest is one link, signed by the camera, that names the hash of the link before and gives
 * each of its entries the next sequence number. What was never said leaves no gap; what was said cannot be taken back.
 */
export interface Link {
  readonly manifest: Manifest
  /** The DSSE envelope, exactly as signed. */
  readonly envelope: Uint8Array
  /** SHA-256 of `envelope`: what the next link quotes. */
  readonly hash: string
}

/** Sequence of the last entry. */
export function lastSequence(manifest: Manifest): number {
  return manifest.sequence + manifest.entries.length - 1
}

export class Chain {
  readonly #identity: Identity
  #newest = -1
  #head = NO_MANIFEST

  constructor(identity: Identity) {
    this.#identity = identity
  }

  /** Sequence of the newest entry, -1 before the first. */
  get newest(): number {
    return this.#newest
  }

  /** Hash of the newest link. */
  get head(): string {
    return this.#head
  }

  /** Signs what would be the next link. It counts once `advance` is given it, and nobody may see it before. */
  propose(entries: readonly Entry[], recipients: { readonly epoch: number; readonly hash: string }): Link {
    const manifest: Manifest = {
      device: this.#identity.device,
      sequence: this.#newest + 1,
      previous: this.#head,
      epoch: recipients.epoch,
      recipients: recipients.hash,
      entries: [...entries],
    }
    const envelope = sign("manifest", manifest, this.#identity.key)
    return { manifest, envelope, hash: sha256Hex(envelope) }
  }

  /** Takes `link` as the head if it is newer. Says whether it was. */
  advance(link: Link): boolean {
    if (lastSequence(link.manifest) <= this.#newest) return false
    this.#newest = lastSequence(link.manifest)
    this.#head = link.hash
    return true
  }

  /** Leaves out all numbers below `sequence`: somebody may have heard of them, and nobody here knows what they said. */
  skip(sequence: number): void {
    this.#newest = Math.max(this.#newest, sequence - 1)
  }

  /** Reads a link of this camera's own. @throws Fault "malformed" or "tampered", definite; "usage": another camera's. */
  read(envelope: Uint8Array): Link {
    const manifest = verify("manifest", envelope, this.#identity.key, manifestShape)
    if (manifest.device !== this.#identity.device) throw new Fault("usage", "a manifest of another camera")
    return { manifest, envelope, hash: sha256Hex(envelope) }
  }
}
