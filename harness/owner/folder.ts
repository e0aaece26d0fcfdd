import { readdir, readFile, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import { fromJson, toJson } from "../../firmware/control/json.ts"
import { type PublicKey, publicKeyFromHex } from "../../firmware/control/keys.ts"
import { deviceId, sha256 } from "../../firmware/control/protocol.ts"
import { Fault, messageOf } from "../../firmware/errors.ts"
import type { Bytes } from "../../firmware/units.ts"
import { makeFolder } from "../../hardware/make-folder.ts"
import type { IdentityKind } from "./age-identity.ts"
import { OwnerKeys } from "./keys.ts"
import { BOOTS_MAX, NOTHING_SEEN, type Seen, seenShape } from "./tail.ts"

/**
 * An owner's folder, never the cloud's:
 *
 *   keys.age          the recovery kit under a passphrase (age, scrypt), or
 *   recovery-kit.txt  the recovery kit as it is, mode 0600, for a household that is only tried out
 *   cameras/<device>.json   the public key of each paired camera
 *   seen/<device>.json      how far each camera's chain was when the owner last looked, so that a cloud cannot go back
 */
export class OwnerFolder {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /** @throws Fault "usage", definite: there are keys already, or the folder cannot be written. */
  async create(kind: IdentityKind, passphrase: string | null): Promise<OwnerKeys> {
    if (await this.exists()) throw new Fault("usage", `${this.#directory}: this owner has keys already`)
    const keys = await OwnerKeys.create(kind)
    const file = passphrase === null ? `${keys.recoveryKit}\n` : await keys.wrap(passphrase)
    try {
      await makeFolder(join(this.#directory, "cameras"))
      const name = passphrase === null ? "recovery-kit.txt" : "keys.age"
      await writeFile(join(this.#directory, name), file, { mode: 0o600, flag: "wx" })
    } catch (cause) {
      throw new Fault("usage", `${this.#directory}: cannot be written (${messageOf(cause)})`, { cause })
    }
    return keys
  }

  async exists(): Promise<boolean> {
    return (await this.#read("keys.age")) !== null || (await this.#read("recovery-kit.txt")) !== null
  }

  /**
   * `askPassphrase` is asked only where there is one.
   * @throws Fault "usage", definite: no keys here; Fault "refused", definite: the wrong passphrase.
   */
  async open(askPassphrase: () => Promise<string>): Promise<OwnerKeys> {
    const wrapped = await this.#read("keys.age")
    if (wrapped) return OwnerKeys.unwrap(wrapped, await askPassphrase())
    const kit = await this.#read("recovery-kit.txt")
    if (kit) return OwnerKeys.fromRecoveryKit(kit.toString())
    throw new Fault("usage", `${this.#directory}: no owner here yet; make one with "obscura owner keys"`)
  }

  async addCamera(camera: PublicKey): Promise<void> {
    const record = toJson({ device: camera.id, key: camera.hex })
    await makeFolder(join(this.#directory, "cameras"))
    await writeFile(join(this.#directory, "cameras", `${camera.id}.json`), record, { mode: 0o600 })
  }

  /** Sorted by device id. @throws Fault "malformed", definite: a damaged record; "usage", definite: not readable. */
  async cameras(): Promise<readonly PublicKey[]> {
    const names = await this.#names("cameras")
    const records = names.filter((name) => name.endsWith(".json")).sort()
    return Promise.all(
      records.map(async (name) => {
        const bytes = (await this.#read(join("cameras", name))) ?? new Uint8Array()
        return publicKeyFromHex(fromJson(bytes, cameraShape, `cameras/${name}`, 1_000).key)
      }),
    )
  }

  /** @throws Fault "malformed", definite: a damaged record; "usage", definite: not readable. */
  async seen(device: string): Promise<Seen> {
    const name = join("seen", `${device}.json`)
    const bytes = await this.#read(name)
    return bytes ? fromJson(bytes, seenShape, name, SEEN_BYTES_MAX) : NOTHING_SEEN
  }

  /** @throws Fault "usage", definite: the folder cannot be written. */
  async remember(device: string, seen: Seen): Promise<void> {
    const path = join(this.#directory, "seen", `${device}.json`)
    await makeFolder(join(this.#directory, "seen"))
    try {
      // Whole and durable before it has the name: after a power cut an empty file would be a damaged record.
      await writeFile(`${path}.new`, toJson(seen), { mode: 0o600, flush: true })
      await rename(`${path}.new`, path)
    } catch (cause) {
      throw new Fault("usage", `${path}: cannot be written (${messageOf(cause)})`, { cause })
    }
  }

  async #names(folder: string): Promise<readonly string[]> {
    try {
      return await readdir(join(this.#directory, folder))
    } catch (cause) {
      if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return []
      throw new Fault("usage", `${join(this.#directory, folder)}: cannot be read (${messageOf(cause)})`, {
        cause,
      })
    }
  }

  async #read(name: string): Promise<Buffer | null> {
    try {
      return await readFile(join(this.#directory, name))
    } catch (cause) {
      if (cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ENOTDIR"))
        return null
      throw new Fault("usage", `${join(this.#directory, name)}: cannot be read (${messageOf(cause)})`, {
        cause,
      })
    }
  }
}

/** A boot that was seen has some eighty. */
const SEEN_BYTES_MAX: Bytes = 1_000 + BOOTS_MAX * 120
const cameraShape = z.strictObject({ device: deviceId, key: sha256 })
