import { isPlainMap } from "./user-cloud-config.ts"

export const MASK = "********"

/**
 * A merged cloud-config with every value masked that is not ours: keys and structure stay. Which of the user's values are
 * secret nobody can tell by their names: a command holds a login key, a file a certificate, an address a password.
 */
export function withTheirsMasked(whole: unknown, ours: unknown): unknown {
  if (Array.isArray(whole)) {
    // Lists were put one after the other, ours first.
    const own: readonly unknown[] = Array.isArray(ours) ? ours : []
    return whole.map((each, index) => withTheirsMasked(each, own[index]))
  }
  if (isPlainMap(whole)) {
    const own = isPlainMap(ours) ? ours : {}
    return Object.fromEntries(
      Object.entries(whole).map(([name, value]) => [name, withTheirsMasked(value, own[name])]),
    )
  }
  // `lock_passwd: true` tells nobody anything, and says a lot.
  return whole === ours || typeof whole === "boolean" || whole === null ? whole : MASK
}
