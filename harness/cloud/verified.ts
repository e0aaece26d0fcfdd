import type { ZodType } from "zod"
import { ENVELOPE_BYTES_MAX, type SignedKind, verify } from "../../firmware/control/dsse.ts"
import type { PublicKey } from "../../firmware/control/keys.ts"
import { isFault } from "../../firmware/errors.ts"
import type { Refusal } from "./cloud-log.ts"

/** The body of an envelope of `kind` that `key` signed and that speaks of `device`; or why it is none. */
export function verified<T extends { readonly device: string }>(
  kind: SignedKind,
  device: string,
  payload: Buffer,
  shape: ZodType<T>,
  key: PublicKey | null,
): { readonly body: T; readonly refused: null } | { readonly body: null; readonly refused: Refusal } {
  if (key === null) return { body: null, refused: "unknown key" }
  if (payload.length > ENVELOPE_BYTES_MAX) return { body: null, refused: "oversize" }
  try {
    const body = verify(kind, payload, key, shape)
    return body.device === device ? { body, refused: null } : { body: null, refused: "another device" }
  } catch (error) {
    return { body: null, refused: isFault(error, "tampered") ? "bad signature" : "malformed" }
  }
}
