import { join } from "node:path"
import { z } from "zod"
import { fromJson, toJson } from "../../../firmware/control/json.ts"
import { Fault } from "../../../firmware/errors.ts"
import { FolderFiles } from "../../owner/folder-files.ts"

const policyShape = z.strictObject({
  place: z.enum(["outdoor", "indoor"]),
  /** Whether clips of this camera may be offered at all; each still takes a consent of its own. */
  labelling: z.enum(["never", "ask"]),
})
export type Policy = z.infer<typeof policyShape>

/** A camera of which nobody has said where it is may be indoors; and indoors it is never. */
export const DEFAULT_POLICY: Policy = { place: "indoor", labelling: "never" }

/** Of a place, unless the owner says otherwise in so many words. */
export const defaultFor = (place: Policy["place"]): Policy =>
  place === "indoor" ? DEFAULT_POLICY : { place, labelling: "ask" }

/** Where each camera is and whether its clips may be offered: `labelling/<device>.json` in the owner's folder. */
export class Policies {
  readonly #files: FolderFiles

  /** `directory`: the owner's folder. */
  constructor(directory: string) {
    this.#files = new FolderFiles(directory)
  }

  async of(device: string): Promise<Policy> {
    const bytes = await this.#files.read(pathOf(device))
    return bytes ? fromJson(bytes, policyShape, pathOf(device), 1_000) : DEFAULT_POLICY
  }

  keep(device: string, policy: Policy): Promise<void> {
    return this.#files.replace(pathOf(device), toJson(policy))
  }

  /** @throws Fault "refused", definite: never. */
  async check(device: string): Promise<Policy> {
    const policy = await this.of(device)
    if (policy.labelling === "ask") return policy
    const why = policy.place === "indoor" ? "a camera indoors, as far as you have said" : "a camera"
    throw new Fault("refused", `${why} whose clips are never offered; "obscura owner place" changes that`)
  }
}

const pathOf = (device: string): string => join("labelling", `${device}.json`)
