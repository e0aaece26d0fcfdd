import { join } from "node:path"
import { z } from "zod"
import { fromJson, toJson } from "../../firmware/control/json.ts"
import { publicKeyFromHex } from "../../firmware/control/keys.ts"
import { deviceId, sha256 } from "../../firmware/control/protocol.ts"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import { makeFolder } from "../../hardware/make-folder.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import { type LogIdentity, originOf } from "../cloud/log/checkpoint.ts"
import { readIfThere, replaceFile } from "../cloud/log/log-disk.ts"
import { FolderFiles } from "./folder-files.ts"
import type { PinnedLog } from "./household-book.ts"

/**
 * What an owner keeps about access logs, in the owner's folder:
 *
 *   log/pins/<device>.json     name and key of the log of that camera's cloud, as pinned at pairing
 *   log/seen/<log key>.json    the checkpoint seen last, and where each camera's records stood
 *   log/expected/<device>      what this owner has signed and the log must tell of, a trace a line
 */
const pinShape = z.strictObject({ device: deviceId, origin: z.string().min(1).max(200), key: sha256 })

const tipShape = z.strictObject({
  /** How many records the camera had. */
  count: z.int().min(0),
  /** Commitment to the last of them. */
  last: sha256,
})
export type SeenTip = z.infer<typeof tipShape>

const seenShape = z.strictObject({
  /** The note, as the log signed it. */
  checkpoint: z.string().max(200_000),
  /** Unix milliseconds, by the owner's clock. */
  at: z.number(),
  /** By device. */
  cameras: z.record(deviceId, tipShape),
})
export type SeenLog = z.infer<typeof seenShape>

const SEEN_BYTES_MAX = 1_000_000
const TRACE = /^(?:grant|consent|deletion) [0-9a-f]{64}$/

export function pinOf({ name, logKey }: Pick<CloudIdentity, "name" | "logKey">): PinnedLog {
  return { origin: originOf(name), key: logKey }
}

export class LogMemory {
  readonly #directory: string
  readonly #files: FolderFiles

  /** `directory`: the owner's folder. */
  constructor(directory: string) {
    this.#directory = join(directory, "log")
    this.#files = new FolderFiles(this.#directory)
  }

  /**
   * Before what was signed leaves: from now on a log without a record of `trace`, as `traceOf` says it, is one that keeps
   * something back. Grants and deletions are kept as they were signed, and need no word here.
   * @throws Fault "usage", definite: the folder cannot be written; "broken": no such trace.
   */
  async expect(device: string, trace: string): Promise<void> {
    if (!TRACE.test(trace)) throw new Fault("broken", `no trace of a record: ${trace.slice(0, 40)}`)
    await this.#files.append(join("expected", device), `${trace}\n`)
  }

  /** Of a mailbox of its own: what was signed there was not taken, and has been taken back. */
  async expectNothing(device: string): Promise<void> {
    await this.#files.replace(join("expected", device), Buffer.alloc(0))
  }

  /** A line that is no trace, as a power cut leaves one, is none. */
  async expected(device: string): Promise<readonly string[]> {
    const text = (await this.#files.read(join("expected", device)))?.toString() ?? ""
    return text.split("\n").filter((line) => TRACE.test(line))
  }

  /** At pairing. @throws Fault "usage", definite: the folder cannot be written. */
  async pin(device: string, cloud: Pick<CloudIdentity, "name" | "logKey">): Promise<void> {
    await this.pinLog(device, pinOf(cloud))
  }

  /** As `pin`, out of the household's book. */
  async pinLog(device: string, { origin, key }: PinnedLog): Promise<void> {
    await this.#put("pins", device, { device, origin, key })
  }

  /** The log that must tell of `device`; null: none was pinned. @throws Fault "malformed", definite: damaged. */
  async pinned(device: string): Promise<LogIdentity | null> {
    const pin = await this.#get("pins", device, pinShape, 2_000)
    if (pin === null) return null
    if (pin.device !== device) throw new Fault("malformed", `log/pins/${device}.json: of another camera`)
    return { origin: pin.origin, key: publicKeyFromHex(pin.key) }
  }

  /** null: never looked. @throws Fault "malformed", definite: damaged. */
  seen({ key }: LogIdentity): Promise<SeenLog | null> {
    return this.#get("seen", key.hex, seenShape, SEEN_BYTES_MAX)
  }

  /** Durable when it resolves. @throws Fault "usage", definite: the folder cannot be written. */
  async remember({ key }: LogIdentity, seen: SeenLog): Promise<void> {
    await this.#put("seen", key.hex, seen)
  }

  async #get<T>(folder: string, name: string, shape: z.ZodType<T>, bytesMax: number): Promise<T | null> {
    const path = join(this.#directory, folder, `${name}.json`)
    try {
      const bytes = await readIfThere(path)
      return bytes && fromJson(bytes, shape, `log/${folder}/${name}.json`, bytesMax)
    } catch (cause) {
      if (isFault(cause)) throw cause
      throw new Fault("usage", `${path}: cannot be read (${messageOf(cause)})`, { cause })
    }
  }

  async #put(folder: string, name: string, value: unknown): Promise<void> {
    const path = join(this.#directory, folder, `${name}.json`)
    await makeFolder(join(this.#directory, folder))
    try {
      await replaceFile(path, toJson(value), 0o600)
    } catch (cause) {
      throw new Fault("usage", `${path}: cannot be written (${messageOf(cause)})`, { cause })
    }
  }
}
