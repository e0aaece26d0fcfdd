import { Fault, isFault } from "../../../firmware/errors.ts"
import { type Identity, identityFromText } from "../../owner/age-identity.ts"
import { openAge } from "../../owner/open-age.ts"

/**
 * A post's link: `<board>/p/<object>#AGE-SECRET-KEY-1…`. What stands behind the # a browser keeps to itself (RFC 9110
 * §7.1), so the board is asked for the object and never told the key. A page that the board serves runs in that browser,
 * though, and could read it and send it home: whoever does not trust the board opens the link with
 * `obscura neighbours open`, or the object with age.
 */
export interface PostLink {
  /** Where the sealed object is to be had. */
  readonly address: string
  readonly object: string
  readonly identity: Identity
}

export const linkTo = (board: string, object: string, secret: string): string =>
  `${board.replace(/\/+$/, "")}/p/${object}#${secret}`

/** @throws Fault "usage", definite: no such link, or one that is not whole. It is not repeated: it has a key in it. */
export function parseLink(text: string): PostLink {
  const url = URL.canParse(text) ? new URL(text) : null
  const [, path, object] = /^(.*)\/p\/([0-9a-f]{32})$/.exec(url?.pathname ?? "") ?? []
  if (url === null || object === undefined || !["http:", "https:"].includes(url.protocol))
    throw new Fault("usage", "this is no link of a post: it looks like https://…/p/…#AGE-SECRET-KEY-1…")
  if (url.hash === "")
    throw new Fault("usage", "this link has lost its key: ask for the whole of it, with what is behind the #")
  try {
    return {
      address: `${url.origin}${path}/o/${object}`,
      object,
      identity: identityFromText(url.hash.slice(1)),
    }
  } catch {
    // No cause: nothing of a key goes into a message.
    throw new Fault("usage", "the key in this link is mistyped or cut short: ask for the whole of it")
  }
}

/** @throws Fault "refused", definite: the link has another post's key; else as `openAge`. */
export async function openPost(file: Uint8Array, { identity }: PostLink): Promise<Uint8Array> {
  try {
    return await openAge(file, identity)
  } catch (cause) {
    if (!isFault(cause, "refused")) throw cause
    throw new Fault("refused", "the key in this link does not open this post: it is another's", { cause })
  }
}
