import { createHash } from "node:crypto"

const CHARACTERS_MIN = 10
const CHARACTERS_MAX = 200

/**
 * Why not: null where `text` is a reason. One line of 10 to 200 characters with letters in it. Whoever carries a grant
 * can read its reason beside the camera's id, so a reason with an e-mail in it would join the two: it is none.
 */
export function flawOfReason(text: string): string | null {
  if (text.length > CHARACTERS_MAX) return `a reason has at most ${CHARACTERS_MAX} characters`
  if (!/\S/.test(text)) return "a blank reason"
  if (/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u.test(text))
    return "a reason is one line of characters that can be seen"
  if (text.trim().length < CHARACTERS_MIN || !/\p{L}.*\p{L}.*\p{L}/u.test(text))
    return `a reason says something: at least ${CHARACTERS_MIN} characters, with words`
  return text.normalize("NFKC").includes("@") ? "a reason names no e-mail address" : null
}

/** The same for all spellings of one reason: what counts are its letters and digits, in order. */
export function fingerprintOf(reason: string): string {
  const letters = reason
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "")
  return createHash("sha256").update(`obscura reason v1 ${letters}`).digest("hex")
}
