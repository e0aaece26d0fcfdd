import { randomBytes } from "node:crypto"
import { sign } from "../../firmware/control/dsse.ts"
import { type PublicKey, type SigningKey, sha256Hex } from "../../firmware/control/keys.ts"
import {
  GRANT_FOR_MAX,
  type Grant,
  type PrivacyCommand,
  type Renewal,
  type Revocation,
} from "../../firmware/control/live-messages.ts"
import type { BeatQuote } from "../../firmware/control/protocol.ts"
import { Fault } from "../../firmware/errors.ts"
import type { Seconds } from "../../firmware/units.ts"
import type { WatchParts } from "./live-watch.ts"

/** What an owner signs about looking: `firmware/design/grants.md`. All are envelopes. */

export interface GrantTerms {
  readonly device: string
  /** Who may look. */
  readonly receiver: PublicKey
  /** Not blank; whoever carries the grant can read it. */
  readonly reason: string
  /** The newest heartbeat that the owner has heard. */
  readonly beat: BeatQuote
  /** From that heartbeat on; at most 600, which is the default. */
  readonly seconds?: Seconds
}

/** @throws Fault "usage", definite: a blank reason. */
export function grantFor(terms: GrantTerms, owner: SigningKey): Uint8Array {
  const { device, receiver, reason, beat, seconds = GRANT_FOR_MAX / 1_000 } = terms
  if (reason.trim() === "") throw new Fault("usage", "a grant needs a reason: say why they may look")
  const body: Grant = {
    ...{ device, purpose: "live", nonce: randomBytes(16).toString("hex") },
    ...{ owner: owner.hex, receiver: receiver.hex, reason, beat, seconds },
  }
  return sign("grant", body, owner)
}

/** For `LiveWatch`: an owner's own grants, each over the newest heartbeat there is. */
export function ownGrants(camera: PublicKey, owner: SigningKey, reason: string): WatchParts["grant"] {
  return async (beats, signal) => {
    await beats.next(signal)
    if (beats.quote === null) return null
    const terms = { device: camera.id, receiver: owner, reason, beat: beats.quote }
    return { envelope: grantFor(terms, owner), for: GRANT_FOR_MAX }
  }
}

/** Whoever has `grant` may go on for 30 s after `beat`. */
export function renewalOf(grant: Uint8Array, device: string, beat: BeatQuote, owner: SigningKey): Uint8Array {
  const body: Renewal = { device, grant: sha256Hex(grant), beat }
  return sign("renewal", body, owner)
}

/** null: every grant so far. */
export function revocationOf(grant: Uint8Array | null, device: string, owner: SigningKey): Uint8Array {
  const body: Revocation = { device, grant: grant && sha256Hex(grant) }
  return sign("revocation", body, owner)
}

export function privacyOn(device: string, beat: BeatQuote, owner: SigningKey): Uint8Array {
  const body: PrivacyCommand = { device, mode: "on", beat }
  return sign("privacy", body, owner)
}

/** `press`: of the heartbeat that the camera said after its button was pressed. */
export function privacyOff(device: string, press: string, owner: SigningKey): Uint8Array {
  const body: PrivacyCommand = { device, mode: "off", press }
  return sign("privacy", body, owner)
}
