import { createHmac } from "node:crypto"
import { join } from "node:path"
import { z } from "zod"
import { fromJson, toJson } from "../../../firmware/control/json.ts"
import { sha256Hex } from "../../../firmware/control/keys.ts"
import { recipientsShape } from "../../../firmware/control/protocol.ts"
import { sealAge } from "../../../firmware/delivery/age.ts"
import { parseRecipient } from "../../../firmware/delivery/recipient.ts"
import { Fault } from "../../../firmware/errors.ts"
import type { Bytes } from "../../../firmware/units.ts"
import { identityFromText, newHouseholdIdentity } from "../../owner/age-identity.ts"
import { readFmp4 } from "../../owner/fmp4.ts"
import { openAge } from "../../owner/open-age.ts"
import type { ServiceFolder } from "../service-folder.ts"
import { serviceIdOf } from "./consent.ts"
import { EMPTY_LEDGER, type Item, type Ledger, ledgerShape } from "./ledger.ts"

const keysShape = z.strictObject({
  secret: z.string().max(200),
  recipient: recipientsShape.shape.keys.def.items[0],
})
export const labellingIdentityShape = z.strictObject({ recipient: keysShape.shape.recipient })
const KEYS = "keys.json"
const LEDGER = "ledger.json"
const DATASETS = "datasets"
export const KEYS_BYTES_MAX: Bytes = 8_000
export type LabellingIdentity = z.infer<typeof labellingIdentityShape>

/**
 * The labelling service's folder: `keys.json`, the key for which copies are sealed; `clips/` and `crops/`, age files;
 * `datasets/<name>.json`; `ledger.json`, what belongs to what.
 */
export class LabellingStore {
  readonly folder: ServiceFolder

  constructor(folder: ServiceFolder) {
    this.folder = folder
  }

  /** Made at the first call, before which nothing is in turn. @throws Fault "malformed", definite: damaged, or gone. */
  async keys(): Promise<z.infer<typeof keysShape> & { readonly id: string }> {
    const kept = await this.#keptKeys()
    if (kept) return kept
    // Under another key it would not know again what was withdrawn.
    if (await this.folder.read(LEDGER))
      throw new Fault("malformed", "the labelling service has lost keys.json: bring back its folder")
    // Two that come first at the same instant have one key.
    return this.folder.inTurn(async () => (await this.#keptKeys()) ?? (await this.#newKeys()))
  }

  async #keptKeys() {
    const kept = await this.folder.read(KEYS)
    return kept && withId(fromJson(kept, keysShape, KEYS, KEYS_BYTES_MAX))
  }

  async #newKeys() {
    // Also for households that are: what withstands a quantum computer is not handed on to less.
    const { secretText: secret, recipientText: recipient } = await newHouseholdIdentity("post-quantum")
    await this.folder.put(KEYS, toJson({ secret, recipient }))
    return withId({ secret, recipient })
  }

  /** What owners seal for. */
  async identity(): Promise<LabellingIdentity> {
    return { recipient: (await this.keys()).recipient }
  }

  ledger(): Promise<Ledger> {
    return this.folder.state(LEDGER, ledgerShape, EMPTY_LEDGER)
  }

  /** The ledger first: what it does not name is no part of the service, and goes. In turn. */
  async keep(ledger: Ledger): Promise<void> {
    await this.folder.keep(LEDGER, ledger)
    await this.tidy(ledger)
  }

  async eraseFilesOf({ object, labels }: Item): Promise<void> {
    await this.folder.erase(join("clips", `${object}.age`))
    for (const { crop } of labels) if (crop) await this.folder.erase(join("crops", `${crop.id}.age`))
  }

  /** All but what `ledger` names goes, whatever a crash has left; data sets are as it says. In turn. */
  async tidy(ledger: Ledger): Promise<void> {
    await this.folder.eraseHalfWritten()
    const clips = new Set(ledger.items.map(({ object }) => `${object}.age`))
    const crops = new Set(ledger.items.flatMap(({ labels }) => labels.map(({ crop }) => `${crop?.id}.age`)))
    for (const [kind, named] of Object.entries({ clips, crops }))
      for (const name of await this.folder.names(kind))
        if (!named.has(name)) await this.folder.erase(join(kind, name))
    await this.#putDatasets(ledger)
  }

  async #putDatasets({ datasets }: Ledger): Promise<void> {
    const files = new Map(datasets.map((each) => [`${each.name}.json`, toJson(each)]))
    for (const name of await this.folder.names(DATASETS))
      if (!files.has(name)) await this.folder.erase(join(DATASETS, name))
    for (const [name, bytes] of files) {
      const there = await this.folder.read(join(DATASETS, name))
      if (there === null || !there.equals(bytes)) await this.folder.put(join(DATASETS, name), bytes)
    }
  }

  /** @throws Fault "unavailable", definite: not there. */
  async film(kind: "clips" | "crops", id: string): Promise<Uint8Array> {
    const file = await this.folder.read(join(kind, `${id}.age`))
    if (file === null) throw new Fault("unavailable", "its file is not there")
    return this.opened(file)
  }

  /** @throws as `openAge`. */
  async opened(file: Uint8Array): Promise<Uint8Array> {
    return openAge(file, identityFromText((await this.keys()).secret))
  }

  put(kind: "clips" | "crops", id: string, file: Uint8Array): Promise<void> {
    return this.folder.put(join(kind, `${id}.age`), file)
  }

  async sealed(film: Uint8Array): Promise<Uint8Array> {
    const { header, payload } = await sealAge(film, parseRecipient((await this.keys()).recipient))
    return Buffer.concat([header, ...payload])
  }

  /** Of every picture that begins a group: by a key of this service's, so that the digest alone tells nothing. */
  async picturesIn(film: Uint8Array): Promise<readonly string[]> {
    const { samples } = readFmp4(film)
    const first = samples.filter(({ keyFrame }) => keyFrame)
    return Promise.all(first.map(({ nals }) => this.digest("picture", ...nals)))
  }

  async digest(
    of: "picture" | "consent" | "object" | "withdrawal",
    ...parts: readonly Uint8Array[]
  ): Promise<string> {
    const mac = createHmac("sha256", sha256Hex(Buffer.from((await this.keys()).secret)))
    mac.update(`obscura labelling v1 ${of}\n`)
    for (const part of parts) mac.update(part)
    return mac.digest("hex")
  }

  /** For whoever looks after this service: what was refused that has no mailbox of an owner's to be told in. */
  note(what: string, at: number): Promise<void> {
    return this.folder.append("journal", `${JSON.stringify({ at, what })}\n`)
  }
}

const withId = <T extends { readonly recipient: string }>(keys: T) => ({
  ...keys,
  id: serviceIdOf(keys.recipient),
})
