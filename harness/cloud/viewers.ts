import { unverified, verifySelfSigned } from "../../firmware/control/dsse.ts"
import { publicKeyFromHex } from "../../firmware/control/keys.ts"
import { askShape, grantShape } from "../../firmware/control/live-messages.ts"
import { isFault } from "../../firmware/errors.ts"
import type { Owns } from "./access.ts"

/** Cameras that one connection may look at; nobody shows more. */
const SHOWN_MAX = 64

/**
 * To which cameras each connection has shown a grant. The cloud asks who signed it and for whom; whether it still holds,
 * and everything else, the camera decides. So a stranger cannot even make a camera look at an ask.
 */
export class ShownGrants {
  readonly #shown = new WeakMap<object, Set<string>>()

  /** `viewer`: the id of the key that this connection has proved. */
  shows(connection: object, viewer: string, device: string, payload: Uint8Array, owns: Owns): boolean {
    const shown = this.#shown.get(connection) ?? new Set()
    if (shown.has(device)) return true
    if (shown.size >= SHOWN_MAX || !holdsGrant(payload, viewer, device, owns)) return false
    this.#shown.set(connection, shown.add(device))
    return true
  }
}

/** Is `payload` an ask of `viewer`'s with a grant for them by the owner of `device`? */
export function holdsGrant(payload: Uint8Array, viewer: string, device: string, owns: Owns): boolean {
  const ask = unverified(payload, askShape)
  if (ask === null) return false
  try {
    const bytes = Buffer.from(ask.grant, "base64")
    const { body, key } = verifySelfSigned("grant", bytes, grantShape, ({ owner }) => publicKeyFromHex(owner))
    return body.device === device && owns(key.id, device) && publicKeyFromHex(body.receiver).id === viewer
  } catch (error) {
    if (isFault(error)) return false
    throw error
  }
}
