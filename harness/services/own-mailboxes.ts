import { type PublicKey, publicKeyFromHex } from "../../firmware/control/keys.ts"
import { FolderFiles } from "../owner/folder-files.ts"
import { keptConsents } from "./labelling/owner-consents.ts"
import { keptPosts } from "./neighbours/owner-posts.ts"
import { parseSupportCode } from "./support/code.ts"
import { keptCodes } from "./support/owner-inbox.ts"

/** A mailbox in the access log that is no camera's. */
export interface OwnMailbox {
  readonly of: "support code" | "consent" | "post"
  /** Its id names the mailbox. */
  readonly key: PublicKey
}

/** Every mailbox but the cameras' in which this owner has something to read; `directory`: the owner's folder. */
export async function ownMailboxes(directory: string): Promise<readonly OwnMailbox[]> {
  const files = new FolderFiles(directory)
  const codes = await Promise.all((await keptCodes(files)).map(({ code }) => parseSupportCode(code)))
  const signed = (of: "consent" | "post", kept: readonly { readonly key: string }[]) =>
    kept.map(({ key }): OwnMailbox => ({ of, key: publicKeyFromHex(key) }))
  return [
    ...codes.map(({ key }): OwnMailbox => ({ of: "support code", key })),
    ...signed("consent", await keptConsents(files)),
    ...signed("post", await keptPosts(files)),
  ]
}
