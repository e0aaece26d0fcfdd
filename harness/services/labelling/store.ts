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
import { EMPTY_LEDGER, type Ledger, ledgerShape } from "./ledger.ts"

const keysShape = z.strictObject({
  secret: z.string().max(200),
  recipient: recipientsShape.shape.keys.def.items[0],
})
export const labellingIdentityShape = z.strictObject({ recipient: keysShape.shape.recipient })
export const KEYS_BYTES_MAX: Bytes = 8_000
export type LabellingIdentity = z.infer<typeof labellingIdentityShape>

/**
 * The labelling service's folder: `keys.json`, the key for which copies are sealed; `identity.json`, its public half;
 * `clips/` and `crops/`, age files; `datasets/<name>.json`; `ledger.json`, what belongs to what.
 */
export class LabellingStore {
  readonly folder: ServiceFolder

  constructor(folder: ServiceFolder) {
    this.folder = folder
  }

  /** Made at the first call. @throws Fault "malformed", definite: damaged. */
  async keys(): Promise<z.infer<typeof keysShape> & { readonly id: string }> {
    const kept = await this.folder.read("keys.json")
    if (kept) return withId(fromJson(kept, keysShape, "keys.json", KEYS_BYTES_MAX))
    // Also for households that are: what withstands a quantum computer is not handed on to less.
    const { secretText, recipientText } = await newHouseholdIdentity("post-quantum")
    await this.folder.put("keys.json", toJson({ secret: secretText, recipient: recipientText }))
    await this.folder.put("identity.json", toJson({ recipient: recipientText }))
    return withId({ secret: secretText, recipient: recipientText })
  }

  /** What owners seal for. */
  async identity(): Promise<LabellingIdentity> {
    return { recipient: (await this.keys()).recipient }
  }

  ledger(): Promise<Ledger> {
    return this.folder.state("ledger.json", ledgerShape, EMPTY_LEDGER)
  }

  /** The ledger first: what it does not name is no part of the service, and goes. */
  async keep(ledger: Ledger): Promise<void> {
    await this.folder.keep("ledger.json", ledger)
    const clips = new Set(ledger.items.map(({ object }) => `${object}.age`))
    const crops = new Set(ledger.items.flatMap(({ labels }) => labels.map(({ crop }) => `${crop?.id}.age`)))
    for (const [kind, named] of Object.entries({ clips, crops }))
      for (const name of await this.folder.names(kind))
        if (!named.has(name)) await this.folder.erase(join(kind, name))
    for (const dataset of ledger.datasets)
      await this.folder.put(join("datasets", `${dataset.name}.json`), toJson(dataset))
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

  async digest(of: "picture" | "consent" | "object", ...parts: readonly Uint8Array[]): Promise<string> {
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
