import type { Identity } from "./age-identity.ts"

/**
 * All the household keys that there ever were, as one: what was sealed for an old one goes on opening. Newest first;
 * what opened last is tried first, for one clip is sealed for one key.
 */
export function keyringOf(newestFirst: readonly [Identity, ...Identity[]]): Identity {
  const order = [...newestFirst]
  return {
    kind: newestFirst[0].kind,
    unwrap: async (header) => {
      for (const [position, identity] of order.entries()) {
        const fileKey = await identity.unwrap(header)
        if (fileKey === null) continue
        order.splice(position, 1)
        order.unshift(identity)
        return fileKey
      }
      return null
    },
  }
}
