import { join } from "node:path"
import { z } from "zod"
import { fromJson, toJson } from "../../../firmware/control/json.ts"
import { sha256Hex } from "../../../firmware/control/keys.ts"
import { objectId, sha256 } from "../../../firmware/control/protocol.ts"
import { isFault } from "../../../firmware/errors.ts"
import type { UnixMilliseconds } from "../../../firmware/units.ts"
import { newHouseholdIdentity } from "../../owner/age-identity.ts"
import { FolderFiles } from "../../owner/folder-files.ts"
import type { OwnerKeys } from "../../owner/keys.ts"
import { LogMemory } from "../../owner/log-memory.ts"
import { newObject } from "../offering/new-object.ts"
import type { Board } from "./board.ts"
import { signPost, signUnpost } from "./post.ts"

const keptShape = z.strictObject({
  object: objectId,
  /** That signs for it; its id is the mailbox in the access log. */
  key: sha256,
  expires: z.number(),
  removed: z.boolean(),
})
export type KeptPost = z.infer<typeof keptShape>

/** What an owner has posted: `posts/<object>.json` in the owner's folder. The key is in the link alone, and not kept. */
export class OwnerPosts {
  readonly #keys: OwnerKeys
  readonly #files: FolderFiles
  readonly #log: LogMemory

  constructor(directory: string, keys: OwnerKeys) {
    this.#keys = keys
    this.#files = new FolderFiles(directory)
    this.#log = new LogMemory(directory)
  }

  all(): Promise<readonly KeptPost[]> {
    return keptPosts(this.#files)
  }

  /** Seals a new object with a key that nobody else has, and posts it. `secret` is for the link. @throws as `Board.post`. */
  async post(
    film: Uint8Array,
    expires: UnixMilliseconds,
    board: Pick<Board, "post">,
  ): Promise<{ readonly object: string; readonly secret: string }> {
    const { secretText, recipientText } = await newHouseholdIdentity(this.#keys.kind)
    const { id: object, file, hash } = await newObject(film, recipientText)
    const key = this.#keys.signingKeyForOffer(object)
    const envelope = signPost({ object, file: hash, expires }, key)
    await this.#keep({ object, key: key.hex, expires, removed: false })
    await this.#log.expect(key.id, `grant ${sha256Hex(envelope)}`)
    try {
      await board.post(envelope, file)
    } catch (error) {
      if (isFault(error, "refused")) {
        await this.#keep({ object, key: key.hex, expires, removed: true })
        await this.#log.expectNothing(key.id)
      }
      throw error
    }
    return { object, secret: secretText }
  }

  /** false: it was not there any more. The object's id is enough, for the key follows from it. @throws as `Board.unpost`. */
  async unpost(object: string, board: Pick<Board, "unpost">): Promise<boolean> {
    const key = this.#keys.signingKeyForOffer(object)
    const envelope = signUnpost(object, key)
    const isGone = await board.unpost(envelope)
    if (isGone) await this.#log.expect(key.id, `deletion ${sha256Hex(envelope)}`)
    const kept = (await this.all()).find((each) => each.object === object)
    if (kept) await this.#keep({ ...kept, removed: true })
    return isGone
  }

  #keep(kept: KeptPost): Promise<void> {
    return this.#files.replace(join("posts", `${kept.object}.json`), toJson(kept))
  }
}

/** Those of an owner's folder. @throws Fault "malformed", definite: a damaged record. */
export async function keptPosts(files: FolderFiles): Promise<readonly KeptPost[]> {
  const names = (await files.names("posts")).filter((name) => name.endsWith(".json")).sort()
  return Promise.all(
    names.map(async (name) => {
      const bytes = (await files.read(join("posts", name))) ?? new Uint8Array()
      return fromJson(bytes, keptShape, `posts/${name}`, 2_000)
    }),
  )
}
