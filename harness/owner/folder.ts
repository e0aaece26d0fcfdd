import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import { fromJson, toJson } from "../../firmware/control/json.ts"
import { type PublicKey, publicKeyFromHex } from "../../firmware/control/keys.ts"
import { deviceId, sha256 } from "../../firmware/control/protocol.ts"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { makeFolder } from "../../hardware/make-folder.ts"
import type { IdentityKind } from "./age-identity.ts"
import { OwnerKeys } from "./keys.ts"

/**
 * An owner's folder, never the cloud's:
 *
 *   keys.age          the recovery kit under a passphrase (age, scrypt), or
 *   recovery-kit.txt  the recovery kit as it is, mode 0600, for a household that is only tried out
 *   cameras/<device>.json   the public key of each paired camera
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

  /** Sorted by device id. @throws Fault "malformed", definite: a damaged record. */
  async cameras(): Promise<readonly PublicKey[]> {
    const names = await readdir(join(this.#directory, "cameras")).catch(() => [])
    const records = names.filter((name) => name.endsWith(".json")).sort()
    return Promise.all(
      records.map(async (name) => {
        const bytes = await readFile(join(this.#directory, "cameras", name))
        return publicKeyFromHex(fromJson(bytes, cameraShape, `cameras/${name}`, 1_000).key)
      }),
    )
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

const cameraShape = z.strictObject({ device: deviceId, key: sha256 })
