import { randomBytes } from "node:crypto"
import { readdir, readFile, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import {
  DELETE_IDS_MAX,
  type Delete,
  type Deleted,
  deletedShape,
} from "../../firmware/control/deletion-messages.ts"
import { sign, verify } from "../../firmware/control/dsse.ts"
import { fromJson, toJson } from "../../firmware/control/json.ts"
import { type PublicKey, type SigningKey, sha256Hex } from "../../firmware/control/keys.ts"
import { deviceId, deviceTopic, objectId } from "../../firmware/control/protocol.ts"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { type Bytes, MiB } from "../../firmware/units.ts"
import { makeFolder } from "../../hardware/make-folder.ts"
import type { Question } from "./command.ts"

/** What an owner wants to be gone, of one camera. */
export interface Wish {
  readonly device: string
  readonly what: Delete["what"]
  /** Ids of what the owner knows that it means. */
  readonly objects: readonly string[]
  readonly clips: readonly string[]
}

/** As many wishes as requests are needed. */
export function wishesFor(device: string, clips: ReadonlyMap<string, readonly string[]>): readonly Wish[] {
  const all = [...clips]
  return Array.from({ length: Math.ceil(all.length / DELETE_IDS_MAX) }, (_, n) => {
    const some = all.slice(n * DELETE_IDS_MAX, (n + 1) * DELETE_IDS_MAX)
    const ids = some.map(([clip]) => clip)
    return { device, what: { clips: ids }, clips: ids, objects: some.flatMap(([, objects]) => objects) }
  })
}

export function deleteRequest({ device, what }: Wish, owner: SigningKey): Uint8Array {
  const body: Delete = { device, key: owner.hex, nonce: randomBytes(16).toString("hex"), what }
  return sign("delete", body, owner)
}

/** The cloud's signed claim, and what was claimed. */
export interface Claim {
  readonly statement: Uint8Array
  readonly body: Deleted
}

/** To be asked of the cloud, whose receipt key was pinned at pairing. */
export function deleteQuestion(device: string, request: Uint8Array, receiptKey: PublicKey): Question<Claim> {
  return {
    message: request,
    to: deviceTopic(device, "delete"),
    answersAt: deviceTopic(device, "deleted"),
    read(payload) {
      const body = verify("deleted", payload, receiptKey, deletedShape)
      if (body.request !== sha256Hex(request) || body.device !== device) return null
      return { statement: Buffer.from(payload), body }
    },
  }
}

const recordShape = z.strictObject({
  device: deviceId,
  /** Envelopes, base64: what the owner signed, and what the cloud signed for. */
  request: z.string(),
  statement: z.string(),
  objects: z.array(objectId),
  clips: z.array(objectId),
})

const RECORD_BYTES_MAX: Bytes = 16 * MiB

/**
 * What an owner had deleted, `deletions/<hash of the request>.json` in the owner's folder. It tells what a cloud deleted
 * because it was told to from what it lost; and if any of it ever turns up, it is the cloud's signature under a lie.
 */
export class DeletionBook {
  readonly #directory: string

  constructor(owner: string) {
    this.#directory = join(owner, "deletions")
  }

  /** @throws Fault "usage", definite: the folder cannot be written. */
  async keep({ device, objects, clips }: Wish, request: Uint8Array, { statement }: Claim): Promise<void> {
    const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64")
    const record = { device, request: base64(request), statement: base64(statement), objects, clips }
    const path = join(this.#directory, `${sha256Hex(request)}.json`)
    await makeFolder(this.#directory)
    try {
      await writeFile(`${path}.new`, toJson(record), { mode: 0o600, flush: true })
      await rename(`${path}.new`, path)
    } catch (cause) {
      throw new Fault("usage", `${path}: cannot be written (${messageOf(cause)})`, { cause })
    }
  }

  /** Objects and clips that are to be gone. @throws Fault "malformed" or "usage", definite: a damaged record, or none to read. */
  async of(device: string): Promise<DeletedIds> {
    const objects = new Set<string>()
    const clips = new Set<string>()
    for (const record of await this.#recordsOf(device)) {
      for (const id of record.objects) objects.add(id)
      for (const clip of record.clips) clips.add(clip)
    }
    return { objects, clips }
  }

  /** SHA-256 of the requests that the cloud has signed for. @throws as `of`. */
  async requestsOf(device: string): Promise<readonly string[]> {
    const records = await this.#recordsOf(device)
    return records.map(({ request }) => sha256Hex(Buffer.from(request, "base64")))
  }

  async #recordsOf(device: string): Promise<readonly z.infer<typeof recordShape>[]> {
    const records: z.infer<typeof recordShape>[] = []
    for (const name of await this.#names()) {
      const bytes = await readFile(join(this.#directory, name))
      const record = fromJson(bytes, recordShape, `deletions/${name}`, RECORD_BYTES_MAX)
      if (record.device === device) records.push(record)
    }
    return records
  }

  async #names(): Promise<readonly string[]> {
    try {
      return (await readdir(this.#directory)).filter((name) => name.endsWith(".json"))
    } catch (cause) {
      if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return []
      throw new Fault("usage", `${this.#directory}: cannot be read (${messageOf(cause)})`, { cause })
    }
  }
}

export interface DeletedIds {
  readonly objects: ReadonlySet<string>
  readonly clips: ReadonlySet<string>
}

export const NOTHING_DELETED: DeletedIds = { objects: new Set(), clips: new Set() }
