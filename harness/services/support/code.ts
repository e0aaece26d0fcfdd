import { createHash, hkdfSync, randomInt } from "node:crypto"
import { bech32 } from "@scure/base"
import { identityToRecipient } from "age-encryption"
import { type SigningKey, signingKeyOf } from "../../../firmware/control/keys.ts"
import { Fault } from "../../../firmware/errors.ts"
import { type Identity, identityFromText } from "../../owner/age-identity.ts"

/**
 * What an owner tells a person of the support, over the telephone for instance: 23 random characters of Crockford's
 * base 32 (115 bits) and one that checks them. It is made in the owner's app and kept with no account, so no e-mail leads
 * to it and it leads to no camera.
 */
export interface SupportCode {
  /** In groups of four. */
  readonly text: string
  /** Where requests and answers lie: the id of a key that follows from the code, and its mailbox in the access log. */
  readonly box: string
  /** That key: with it an owner asks for what lies in the mailbox. */
  readonly key: SigningKey
  /** For whom what lies there is sealed. */
  readonly recipient: string
  /** Opens it; whoever has the code has this. */
  readonly identity: Identity
}

const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
const RANDOM_DIGITS = 23

export function newSupportCode(): Promise<SupportCode> {
  const digits = Array.from({ length: RANDOM_DIGITS }, () => DIGITS[randomInt(32)]).join("")
  return derived(digits + checkOf(digits))
}

/** @throws Fault "usage", definite: mistyped. The text is not repeated. */
export async function parseSupportCode(text: string): Promise<SupportCode> {
  const digits = text.toUpperCase().replace(/[\s-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1")
  const isCode = digits.length === RANDOM_DIGITS + 1 && [...digits].every((digit) => DIGITS.includes(digit))
  if (!isCode || checkOf(digits.slice(0, -1)) !== digits.at(-1))
    throw new Fault(
      "usage",
      "this is no support code: it has six groups of four, and one letter of it may be wrong",
    )
  return derived(digits)
}

function checkOf(digits: string): string {
  return DIGITS[(createHash("sha256").update(digits).digest()[0] ?? 0) & 31] ?? ""
}

async function derived(digits: string): Promise<SupportCode> {
  const derive = (purpose: string) =>
    Buffer.from(hkdfSync("sha256", digits, "", `obscura support v1 ${purpose}`, 32))
  const key = signingKeyOf(derive("box"))
  const words = bech32.toWords(derive("seal"))
  const secret = bech32.encode("age-secret-key-", words, false).toUpperCase()
  return {
    text: digits.match(/.{4}/g)?.join("-") ?? "",
    ...{ box: key.id, key },
    recipient: await identityToRecipient(secret),
    identity: identityFromText(secret),
  }
}
