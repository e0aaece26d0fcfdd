import { createHmac, timingSafeEqual } from "node:crypto"
import { base32nopad } from "@scure/base"
import type { Bytes, UnixMilliseconds } from "../../../firmware/units.ts"

/**
 * Time-based one-time passwords as every authenticator app makes them: RFC 6238 with HMAC-SHA-1, steps of 30 s, six
 * digits. SHA-1 is what the apps know; as a MAC it is sound.
 */
export const SECRET_BYTES: Bytes = 20
const STEP_SECONDS = 30
const DIGITS = 6
/** A clock may be one step off, as RFC 6238 §5.2 suggests. */
const DRIFT_STEPS = 1

export const stepAt = (now: UnixMilliseconds): number => Math.floor(now / 1_000 / STEP_SECONDS)

/** Of one step (RFC 4226 §5.3, dynamic truncation). */
export function codeOf(secret: Uint8Array, step: number, digits = DIGITS): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac("sha1", secret).update(counter).digest()
  const offset = (mac[mac.length - 1] ?? 0) & 15
  const number = mac.readUInt32BE(offset) & 0x7fffffff
  return String(number % 10 ** digits).padStart(digits, "0")
}

/** The step of which `code` is; null: of none near `now`. */
export function stepOf(code: string, secret: Uint8Array, now: UnixMilliseconds): number | null {
  if (!/^\d{6}$/.test(code)) return null
  const here = stepAt(now)
  for (let step = here - DRIFT_STEPS; step <= here + DRIFT_STEPS; step++)
    if (timingSafeEqual(Buffer.from(codeOf(secret, step)), Buffer.from(code))) return step
  return null
}

/** What an authenticator app reads. Secret. */
export function otpauthUri(name: string, secret: Uint8Array): string {
  const label = encodeURIComponent(`obscura:${name}`)
  return `otpauth://totp/${label}?secret=${base32nopad.encode(secret)}&issuer=obscura`
}
