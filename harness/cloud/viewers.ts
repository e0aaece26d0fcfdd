import { unverified, verifySelfSigned } from "../../firmware/control/dsse.ts"
import { publicKeyFromHex } from "../../firmware/control/keys.ts"
import { askShape, type Grant, grantShape, isSealedPart } from "../../firmware/control/live-messages.ts"
import { isFault } from "../../firmware/errors.ts"
import type { Owns } from "./access.ts"

/** Cameras that one connection may look at; nobody shows more. */
const SHOWN_MAX = 64

/** An owner's grant, as it was signed. */
export interface ShownGrant {
  readonly envelope: Uint8Array
  readonly body: Grant
  /** Ids of the keys of the owner who signed it and of whom it lets look. */
  readonly owner: string
  readonly receiver: string
}

/**
 * To which cameras each connection has shown a grant. The cloud asks who signed it and for whom; whether it still holds,
 * and everything else, the camera decides. So a stranger cannot even make a camera look at an ask.
 */
export class ShownGrants {
  readonly #shown = new WeakMap<object, Set<string>>()

  /**
   * What allows this message of a viewer's, `viewer` being the id of the key that this connection has proved: the grant in
   * it, each time that there is one to be recorded; for what is sealed to the camera, a grant before. null: nothing.
   */
  shows(
    connection: object,
    viewer: string,
    device: string,
    payload: Uint8Array,
    owns: Owns,
  ): ShownGrant | "before" | null {
    const shown = this.#shown.get(connection) ?? new Set()
    if (isSealedPart(payload)) return shown.has(device) ? "before" : null
    if (shown.size >= SHOWN_MAX && !shown.has(device)) return null
    const grant = grantIn(payload, viewer, device, owns)
    if (grant) this.#shown.set(connection, shown.add(device))
    return grant
  }
}

/** Is `payload` an ask of `viewer`'s with a grant for them by the owner of `device`? */
export function holdsGrant(payload: Uint8Array, viewer: string, device: string, owns: Owns): boolean {
  return grantIn(payload, viewer, device, owns) !== null
}

function grantIn(payload: Uint8Array, viewer: string, device: string, owns: Owns): ShownGrant | null {
  const ask = unverified(payload, askShape)
  const grant = ask && readGrant(Buffer.from(ask.grant, "base64"), device, owns)
  return grant && grant.receiver === viewer ? grant : null
}

/** null: no grant that the owner of `device` signed for it. */
export function readGrant(envelope: Uint8Array, device: string, owns: Owns): ShownGrant | null {
  try {
    const { body, key } = verifySelfSigned("grant", envelope, grantShape, ({ owner }) =>
      publicKeyFromHex(owner),
    )
    const holds = body.device === device && owns(key.id, device)
    return holds ? { envelope, body, owner: key.id, receiver: publicKeyFromHex(body.receiver).id } : null
  } catch (error) {
    if (isFault(error)) return null
    throw error
  }
}
