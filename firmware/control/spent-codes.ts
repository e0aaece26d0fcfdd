import { z } from "zod"
import type { Disk } from "../ports.ts"
import { fromJson, toJson } from "./json.ts"
import { objectId } from "./protocol.ts"

const NAME = "spent-codes"
/** More than anybody shows a camera in the fifteen minutes for which an owner waits with one. */
const CODES_MAX = 64
const shape = z.strictObject({ version: z.literal(1), rendezvous: z.array(objectId).max(CODES_MAX) })

/**
 * The setup codes that this camera has been shown, by their rendezvous, which the broker knows too. A code is good for
 * one attempt, whatever comes of it: neither another press nor a restart gives it a second life.
 */
export class SpentCodes {
  readonly #disk: Disk

  constructor(disk: Disk) {
    this.#disk = disk
  }

  /**
   * Notes the code, durably, before it is used. false: it was used before.
   * @throws Fault "malformed", definite: a damaged file. The disk's reasons.
   */
  async spend(rendezvous: string): Promise<boolean> {
    const stored = await this.#disk.private.get(NAME)
    const spent = stored ? fromJson(stored, shape, "spent codes", 4_096).rendezvous : []
    if (spent.includes(rendezvous)) return false
    const newest = [...spent, rendezvous].slice(-CODES_MAX)
    await this.#disk.private.put(NAME, [toJson({ version: 1, rendezvous: newest })])
    return true
  }
}
