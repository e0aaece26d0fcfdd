import { join } from "node:path"
import { z } from "zod"
import { fromJson, toJson } from "../../../firmware/control/json.ts"
import { publicKeyFromHex, type SigningKey } from "../../../firmware/control/keys.ts"
import { sha256 as sha256Shape } from "../../../firmware/control/protocol.ts"
import { Fault } from "../../../firmware/errors.ts"
import type { Seconds } from "../../../firmware/units.ts"
import { type LogIdentity, openCheckpoint, parseSize } from "./checkpoint.ts"
import { decodeCheckpointMessage } from "./checkpoint-message.ts"
import { cosign } from "./cosignature.ts"
import { readIfThere, replaceFile } from "./log-disk.ts"
import { EMPTY_ROOT, provesConsistency, sha256, type TreeHead } from "./merkle.ts"
import { formatNote } from "./note.ts"

/**
 * Somebody beside the cloud who remembers. It signs a checkpoint when it can be nothing but the continuation of the one
 * it signed last, and keeps in a file, durable before the signature leaves, what that was:
 *
 *   logs/<first 16 hex digits of SHA-256 of the log's name>.json    {"origin","key","size","root"}
 *
 * A log's key is pinned with its first checkpoint. One process at a time: the caller holds the folder's lock.
 */
export interface WitnessIdentity {
  readonly name: string
  /** Of no other use: what a witness signs does not name it. */
  readonly key: SigningKey
}

const seenShape = z.strictObject({
  origin: z.string().min(1).max(400),
  key: sha256Shape,
  size: z.int().min(0),
  root: sha256Shape,
})
type Seen = z.infer<typeof seenShape>

export class Witness {
  readonly #directory: string
  readonly #identity: WitnessIdentity

  /** `directory`, which is there, for `logs/`. */
  constructor(directory: string, identity: WitnessIdentity) {
    this.#directory = directory
    this.#identity = identity
  }

  /** The tree that was signed last for this log; size 0: none. @throws Fault "malformed", definite: a damaged file. */
  async seen(origin: string): Promise<TreeHead> {
    const seen = await this.#read(origin)
    return seen ? { size: seen.size, root: Buffer.from(seen.root, "hex") } : { size: 0, root: EMPTY_ROOT }
  }

  /**
   * The note in `message` with this witness's signature beside the log's.
   * @throws Fault "malformed"; "tampered": not signed by this log, or not what the tree signed last has become;
   *         "refused": the log has another key than before, or the proof begins elsewhere. All definite; nothing is
   *         signed and nothing changes.
   */
  async cosign(message: Uint8Array, log: LogIdentity, at: Seconds): Promise<Uint8Array> {
    const { old, proof, note: bytes } = decodeCheckpointMessage(message)
    const { note, size, root } = openCheckpoint(bytes, log)
    const seen = await this.#read(log.origin)
    if (seen !== null && seen.key !== log.key.hex)
      throw new Fault("refused", `${log.origin}: has another key than the one pinned at its first checkpoint`)
    const before = await this.seen(log.origin)
    if (size < before.size)
      throw new Fault("tampered", `rolled back: ${log.origin} shows ${size} entries, and had ${before.size}`)
    if (old !== before.size && !(size === before.size && proof.length === 0))
      throw new Fault(
        "refused",
        `${log.origin}: a proof from ${before.size} entries is wanted, not from ${old}`,
      )
    if (!provesConsistency(before, { size, root }, proof))
      throw new Fault(
        "tampered",
        `forked: the ${size} entries of ${log.origin} do not continue the ${before.size} that were signed before`,
      )
    await this.#write({ origin: log.origin, key: log.key.hex, size, root: Buffer.from(root).toString("hex") })
    const cosignature = cosign(note.text, this.#identity.name, this.#identity.key, at)
    const others = note.signatures.filter(({ name }) => name !== this.#identity.name)
    return formatNote({ text: note.text, signatures: [...others, cosignature] })
  }

  async #read(origin: string): Promise<Seen | null> {
    const bytes = await readIfThere(this.#path(origin))
    if (bytes === null) return null
    const seen = fromJson(bytes, seenShape, "witness state", 2_000)
    publicKeyFromHex(seen.key)
    if (seen.origin !== origin || parseSize(String(seen.size)) === null)
      throw new Fault("malformed", "witness state: of another log")
    return seen
  }

  async #write(seen: Seen): Promise<void> {
    await replaceFile(this.#path(seen.origin), toJson(seen), 0o600)
  }

  #path(origin: string): string {
    return join(this.#directory, "logs", `${sha256(Buffer.from(origin)).toString("hex", 0, 8)}.json`)
  }
}
