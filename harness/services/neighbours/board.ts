import type { FileHandle } from "node:fs/promises"
import { join } from "node:path"
import { sha256Hex } from "../../../firmware/control/keys.ts"
import { objectId } from "../../../firmware/control/protocol.ts"
import { Fault } from "../../../firmware/errors.ts"
import type { UnixMilliseconds } from "../../../firmware/units.ts"
import type { Recording } from "../records.ts"
import type { ServiceFolder } from "../service-folder.ts"
import { POST_BYTES_MAX, POST_FOR_MAX, type Post, postShape, readPost, readUnpost } from "./post.ts"

export interface BoardParts {
  readonly folder: ServiceFolder
  readonly record: Recording
  readonly now: () => UnixMilliseconds
}

/**
 * What owners have posted: `posts/<object>.age`, sealed with a key that only the link has, and `posts/<object>.json`,
 * until when. It cannot look at them, has no list for anybody, and who does not know an id gets nothing.
 */
export class Board {
  readonly #parts: BoardParts

  constructor(parts: BoardParts) {
    this.#parts = parts
  }

  /** @throws Fault "refused", definite: for another file, expired, too long or doubled; else as `readPost`. */
  async post(envelope: Uint8Array, file: Uint8Array): Promise<void> {
    const { folder, record, now } = this.#parts
    const { signer, hash, ...post } = readPost(envelope)
    if (file.length > POST_BYTES_MAX)
      throw new Fault("refused", "too large to post: choose a shorter stretch")
    if (post.file !== sha256Hex(file)) throw new Fault("refused", "a post of another file")
    if (post.expires <= now()) throw new Fault("refused", "the post has expired")
    if (post.expires > now() + POST_FOR_MAX) throw new Fault("refused", "a post is for at most 31 days")
    await folder.inTurn(async () => {
      if ((await this.#known(post.object)) !== null)
        throw new Fault("refused", "doubled: this is posted already, or was")
      await record({
        ...{ kind: "grant", device: signer.id, by: { role: "owner", key: signer.id } },
        ...{ reason: "posted to neighbours", grant: hash, purpose: "neighbours", receiver: null },
      })
      await folder.put(fileOf(post.object), file)
      await folder.keep(nameOf(post.object), post)
    })
  }

  /** false: there was nothing any more. @throws Fault "refused", definite: not by who posted it; else as `readPost`. */
  async unpost(envelope: Uint8Array): Promise<boolean> {
    const { folder, record } = this.#parts
    const { object, key, signer, hash } = readUnpost(envelope)
    const isGone = await folder.inTurn(async () => {
      const post = await this.#known(object)
      if (post === null || !(await this.#isThere(object))) return false
      if (post.key !== key) throw new Fault("refused", "only who posted it takes it down")
      await folder.erase(fileOf(object))
      return true
    })
    const by = { role: "owner", key: signer.id } as const
    if (isGone)
      await record({
        kind: "deletion",
        device: signer.id,
        by,
        reason: "taken down",
        request: hash,
        objects: 1,
      })
    return isGone
  }

  /** The sealed object, as anybody gets it who knows its id; null: there is none, or none any more. */
  async file(object: string): Promise<Uint8Array | null> {
    return (await this.#isShown(object)) ? this.#parts.folder.read(fileOf(object)) : null
  }

  /** As `file`, for whoever takes it slowly; to be closed. */
  async opened(object: string): Promise<FileHandle | null> {
    return (await this.#isShown(object)) ? this.#parts.folder.opened(fileOf(object)) : null
  }

  async #isShown(object: string): Promise<boolean> {
    if (!objectId.safeParse(object).success) return false
    const post = await this.#known(object)
    if (post === null) return false
    if (post.expires > this.#parts.now()) return true
    await this.#parts.folder.erase(fileOf(object))
    return false
  }

  /** What is over goes, and what a crash left half written. */
  async sweep(): Promise<void> {
    const { folder } = this.#parts
    if ((await folder.names("posts")).length === 0) return
    await folder.inTurn(async () => {
      await folder.eraseHalfWritten()
      const names = new Set(await folder.names("posts"))
      for (const name of names)
        if (name.endsWith(".json")) await this.#isShown(name.slice(0, -".json".length))
        // Of which nobody has said until when: it would stay for ever.
        else if (!names.has(name.replace(/\.age$/, ".json"))) await folder.erase(join("posts", name))
    })
  }

  /** Stays when the file has gone, so that what was taken down does not come back. */
  #known(object: string): Promise<Post | null> {
    return this.#parts.folder.state(nameOf(object), postShape.nullable(), null)
  }

  async #isThere(object: string): Promise<boolean> {
    return (await this.#parts.folder.names("posts")).includes(`${object}.age`)
  }
}

const fileOf = (object: string): string => join("posts", `${object}.age`)
const nameOf = (object: string): string => join("posts", `${object}.json`)
