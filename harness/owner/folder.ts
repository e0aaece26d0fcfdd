import { readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import { fromJson, toJson } from "../../firmware/control/json.ts"
import { type PublicKey, publicKeyFromHex } from "../../firmware/control/keys.ts"
import { deviceId, sha256 } from "../../firmware/control/protocol.ts"
import { Fault, messageOf } from "../../firmware/errors.ts"
import type { Bytes, UnixMilliseconds } from "../../firmware/units.ts"
import { makeFolder } from "../../hardware/make-folder.ts"
import type { IdentityKind } from "./age-identity.ts"
import { type Backup, backupShape, NO_BACKUP } from "./backup.ts"
import { FolderFiles } from "./folder-files.ts"
import { Household } from "./household.ts"
import { type Book, EMPTY_BOOK, keyInUse, type PinnedLog, withCamera } from "./household-book.ts"
import { openBook, sealBook } from "./household-file.ts"
import { OwnerKeys } from "./keys.ts"
import { type SecondFactor, secondFactorShape } from "./second-factor.ts"
import { BOOTS_MAX, NOTHING_SEEN, type Seen, seenShape } from "./tail.ts"

/**
 * An owner's folder, never the cloud's:
 *
 *   keys.age          the recovery kit under a passphrase (age, scrypt), or
 *   second-factor.json  where the file is that keys.age needs beside the passphrase (second-factor.ts); absent: none
 *   recovery-kit.txt  the recovery kit as it is, mode 0600, for a household that is only tried out
 *   cameras/<device>.json   the public key of each paired camera
 *   seen/<device>.json      how far each camera's chain was when the owner last looked, so that a cloud cannot go back
 *   household.age           the household's book (household-file.ts); absent until something is in it
 *   household-backup.json   which version of it the cloud has
 *   receipts/<device>       the cloud's signed receipts that were heard, an envelope a line
 *   grants/<device>         the grants that were given to others, an envelope a line
 *   told/<device>.json      up to where the owner was told of the camera's clips
 *   support/ labelling/ consents/ posts/   what was allowed to others: harness/services
 */
export class OwnerFolder {
  readonly #directory: string
  readonly #files: FolderFiles

  constructor(directory: string) {
    this.#directory = directory
    this.#files = new FolderFiles(directory)
  }

  /** @throws Fault "usage", definite: there are keys already, or the folder cannot be written. */
  async create(kind: IdentityKind, passphrase: string | null): Promise<OwnerKeys> {
    const keys = await OwnerKeys.create(kind)
    await this.keep(keys, passphrase)
    return keys
  }

  /** Keeps keys that are no owner's here yet. @throws as `create`. */
  async keep(keys: OwnerKeys, passphrase: string | null): Promise<void> {
    if (await this.exists()) throw new Fault("usage", `${this.#directory}: this owner has keys already`)
    const file = passphrase === null ? `${keys.recoveryKit}\n` : await keys.wrap(passphrase)
    try {
      await makeFolder(join(this.#directory, "cameras"))
      const name = passphrase === null ? "recovery-kit.txt" : KEYS
      await writeFile(join(this.#directory, name), file, { mode: 0o600, flag: "wx" })
    } catch (cause) {
      throw new Fault("usage", `${this.#directory}: cannot be written (${messageOf(cause)})`, { cause })
    }
  }

  async exists(): Promise<boolean> {
    return (await this.#files.read(KEYS)) !== null || (await this.#files.read("recovery-kit.txt")) !== null
  }

  /**
   * `askPassphrase` is asked only where there is one.
   * @throws Fault "usage", definite: no keys here; Fault "refused", definite: the wrong passphrase.
   */
  async open(askPassphrase: () => Promise<string>): Promise<OwnerKeys> {
    const wrapped = await this.#files.read(KEYS)
    if (wrapped) return OwnerKeys.unwrap(wrapped, await askPassphrase(), () => this.#readFactor())
    const kit = await this.#files.read("recovery-kit.txt")
    if (kit) return OwnerKeys.fromRecoveryKit(kit.toString())
    throw new Fault("usage", `${this.#directory}: no owner here yet; make one with "obscura owner keys"`)
  }

  /** null: the passphrase alone opens this folder. @throws Fault "malformed", definite: a damaged record. */
  async secondFactor(): Promise<SecondFactor | null> {
    const bytes = await this.#files.read(FACTOR)
    return bytes ? fromJson(bytes, secondFactorShape, FACTOR, 5_000) : null
  }

  /**
   * From now on these keys open with `passphrase` and `factor` together, or with `passphrase` alone where it is null.
   * @throws Fault "usage", definite: a household that is only tried out, or the folder cannot be written.
   */
  async keepFactor(keys: OwnerKeys, passphrase: string, factor: SecondFactor | null): Promise<void> {
    if (!(await this.#files.read(KEYS)))
      throw new Fault(
        "usage",
        "this household has no passphrase: it is for trying things out, and open anyway",
      )
    // First what is needed to open: a record of a factor that nothing asks for does no harm.
    if (factor) await this.#files.replace(FACTOR, toJson(factor))
    await this.#files.replace(KEYS, await keys.wrap(passphrase, factor?.recipient ?? null))
    if (!factor) await rm(join(this.#directory, FACTOR), { force: true })
  }

  async #readFactor(): Promise<string> {
    const file = (await this.secondFactor())?.file ?? "second-factor.json"
    try {
      return await readFile(file, "utf8")
    } catch (cause) {
      throw new Fault(
        "refused",
        `${file}: the second factor is not there (${messageOf(cause)}); plug it in. If it is lost, the recovery kit opens without it: "obscura owner restore" into another folder`,
        { cause },
      )
    }
  }

  async addCamera(camera: PublicKey): Promise<void> {
    const record = toJson({ device: camera.id, key: camera.hex })
    await makeFolder(join(this.#directory, "cameras"))
    await writeFile(join(this.#directory, "cameras", `${camera.id}.json`), record, { mode: 0o600 })
  }

  /** Sorted by device id. @throws Fault "malformed", definite: a damaged record; "usage", definite: not readable. */
  async cameras(): Promise<readonly PublicKey[]> {
    const names = await this.#files.names("cameras")
    const records = names.filter((name) => name.endsWith(".json")).sort()
    return Promise.all(
      records.map(async (name) => {
        const bytes = (await this.#files.read(join("cameras", name))) ?? new Uint8Array()
        return publicKeyFromHex(fromJson(bytes, cameraShape, `cameras/${name}`, 1_000).key)
      }),
    )
  }

  /** @throws Fault "malformed", definite: a damaged record; "usage", definite: not readable. */
  async seen(device: string): Promise<Seen> {
    const name = join("seen", `${device}.json`)
    const bytes = await this.#files.read(name)
    return bytes ? fromJson(bytes, seenShape, name, SEEN_BYTES_MAX) : NOTHING_SEEN
  }

  /** @throws Fault "usage", definite: the folder cannot be written. */
  remember(device: string, seen: Seen): Promise<void> {
    return this.#files.replace(join("seen", `${device}.json`), toJson(seen))
  }

  /** A camera that was just paired, to seal for the household key in use. `log`: that of its cloud. */
  async addPaired(camera: PublicKey, keys: OwnerKeys, at: UnixMilliseconds, log?: PinnedLog): Promise<void> {
    const { book } = await this.household(keys)
    await this.keepBook(withCamera(book, camera, at, keyInUse(book), log), keys)
    await this.addCamera(camera)
  }

  /**
   * The household as this folder knows it. A camera that its book does not name has the first key.
   * @throws Fault "malformed", "tampered" or "refused", definite: a damaged book, or another owner's.
   */
  async household(keys: OwnerKeys): Promise<Household> {
    const file = await this.#files.read(BOOK)
    let book = file ? await openBook(file, keys) : EMPTY_BOOK
    for (const camera of await this.cameras())
      if (!book.cameras.some(({ device }) => device === camera.id)) book = withCamera(book, camera, 0, 0)
    return Household.of(keys, book)
  }

  /** How far the cloud has the book, by its signed receipts. @throws Fault "malformed", definite: a damaged record. */
  async backup(): Promise<Backup> {
    const bytes = await this.#files.read(BACKUP)
    return bytes ? fromJson(bytes, backupShape, BACKUP, 1_000) : NO_BACKUP
  }

  /** @throws Fault "usage", definite: the folder cannot be written. */
  keepBackup(backup: Backup): Promise<void> {
    return this.#files.replace(BACKUP, toJson(backup))
  }

  /** Durable when it resolves. @throws Fault "usage", definite: the folder cannot be written. */
  async keepBook(book: Book, keys: OwnerKeys): Promise<Household> {
    const { header, payload } = await sealBook(book, keys)
    await this.#files.replace(BOOK, Buffer.concat([header, ...payload]))
    return Household.of(keys, book)
  }

  /** The cloud's receipts for a camera, or this owner's grants for it, that were kept, as they were signed. */
  async kept(what: "receipts" | "grants", device: string): Promise<readonly Uint8Array[]> {
    const text = (await this.#files.read(join(what, device)))?.toString() ?? ""
    return text.split("\n").flatMap((line) => (line === "" ? [] : [Buffer.from(line)]))
  }

  /** @throws Fault "usage", definite: the folder cannot be written. */
  keepSigned(what: "receipts" | "grants", device: string, envelope: Uint8Array): Promise<void> {
    return this.#files.append(join(what, device), `${Buffer.from(envelope)}\n`)
  }

  /** Up to which sequence the owner was told of a camera's clips; -1: of none. */
  async told(device: string): Promise<number> {
    const bytes = await this.#files.read(join("told", `${device}.json`))
    return bytes ? fromJson(bytes, toldShape, `told/${device}.json`, 100).sequence : -1
  }

  keepTold(device: string, sequence: number): Promise<void> {
    return this.#files.replace(join("told", `${device}.json`), toJson({ sequence }))
  }
}

const KEYS = "keys.age"
const FACTOR = "second-factor.json"
const BOOK = "household.age"
const BACKUP = "household-backup.json"
/** A boot that was seen has some eighty. */
const SEEN_BYTES_MAX: Bytes = 1_000 + BOOTS_MAX * 120
const toldShape = z.strictObject({ sequence: z.int().min(-1) })
const cameraShape = z.strictObject({ device: deviceId, key: sha256 })
