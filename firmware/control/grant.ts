import { isFault } from "../errors.ts"
import type { Milliseconds } from "../units.ts"
import { seconds } from "../units.ts"
import { unverified, verify } from "./dsse.ts"
import { type PublicKey, publicKeyFromHex, sha256Hex } from "./keys.ts"
import { type Ask, askShape, type Grant, grantShape, RENEWED_FOR } from "./live-messages.ts"
import type { OwnBeats } from "./own-beats.ts"

/** An ask that may be answered: who looks, why, and until when on the monotonic clock. */
export interface GrantedAsk {
  readonly ok: true
  readonly ask: Ask
  readonly grant: Grant
  /** SHA-256 of the envelopes. */
  readonly askHash: string
  readonly grantHash: string
  /** Id of the viewer's key. */
  readonly viewer: string
  readonly isOwner: boolean
  /** The grant's own end. */
  readonly until: Milliseconds
  /** Whoever is not the owner needs a renewal by then. */
  readonly renewBy: Milliseconds
}

export interface GrantParts {
  readonly device: string
  readonly owner: PublicKey
  readonly beats: OwnBeats
}

export type Refused = { readonly ok: false; readonly reason: string }

/**
 * May whoever asks look? The signatures first, the owner's under the grant and the viewer's under the ask; then for whom
 * and which camera; then how old it is, by the heartbeat that it quotes. A refusal is a value with its reason.
 *
 * An ask carries the key that verifies it, in its grant. So its shape is read first, and nothing of it is believed before
 * both signatures hold.
 */
export function checkAsk(envelope: Uint8Array, parts: GrantParts): GrantedAsk | Refused {
  try {
    const carried = unverified(envelope, askShape)
    if (!carried) return refused("not an ask")
    const grantBytes = Buffer.from(carried.grant, "base64")
    const grant = verify("grant", grantBytes, parts.owner, grantShape)
    const receiver = publicKeyFromHex(grant.receiver)
    const ask = verify("ask", envelope, receiver, askShape)
    if (grant.device !== parts.device || ask.device !== parts.device)
      return refused("meant for another camera")
    const beat = parts.beats.timeOf(grant.beat)
    if (!beat.ok) return beat
    return {
      ok: true,
      ask,
      grant,
      askHash: sha256Hex(envelope),
      grantHash: sha256Hex(grantBytes),
      viewer: receiver.id,
      isOwner: receiver.id === parts.owner.id,
      until: beat.at + seconds(grant.seconds),
      renewBy: beat.at + RENEWED_FOR,
    }
  } catch (error) {
    if (!isFault(error) || error.kind === "broken") throw error
    return refused(error.message)
  }
}

function refused(reason: string): Refused {
  return { ok: false, reason }
}
