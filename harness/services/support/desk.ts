import { z } from "zod"
import { publicKeyFromHex, sha256Hex } from "../../../firmware/control/keys.ts"
import { sha256 } from "../../../firmware/control/protocol.ts"
import { Fault, isFault } from "../../../firmware/errors.ts"
import { type Recording, refusedRecord } from "../records.ts"
import type { ServiceFolder } from "../service-folder.ts"
import type { StaffRegistry } from "../staff/registry.ts"
import { ROLES } from "../staff/roles.ts"
import { SupportBoxes } from "./boxes.ts"
import { fingerprintOf, flawOfReason } from "./reason.ts"
import { type LookRequest, lookRequestShape, readLookRequest, sealRequest } from "./request.ts"

const reasonsShape = z.strictObject({ format: z.literal(1), fingerprints: z.array(sha256) })
const FILE = "reasons.json"

export interface DeskParts {
  readonly folder: ServiceFolder
  readonly staff: StaffRegistry
  readonly record: Recording
}

/**
 * Where staff ask owners to be let in to look. All it can do is to lay a request where its owner finds it: it holds no
 * key, knows no camera, and there is no second way. So whoever takes this host over can ask, too.
 */
export class SupportDesk {
  readonly boxes: SupportBoxes
  readonly #parts: DeskParts

  constructor(parts: DeskParts) {
    this.#parts = parts
    this.boxes = new SupportBoxes(parts.folder)
  }

  /**
   * Takes a signed request and the code of the second factor. When it resolves, the request is recorded and lies in its
   * box. @throws Fault "refused", definite, and recorded: no such person, factor, role or reason;
   * Fault "malformed" or "tampered", definite, and in the journal: no request at all.
   */
  async ask(envelope: Uint8Array, code: string): Promise<LookRequest> {
    const said = await this.#read(envelope)
    try {
      const { staff, body } = await this.#parts.staff.admit(envelope, lookRequestShape, code)
      if (body.seconds > ROLES[staff.role].asksSeconds)
        throw new Fault("refused", `the role ${staff.role} may not ask for a look of ${body.seconds} s`)
      const flaw = flawOfReason(body.reason)
      if (flaw !== null) throw new Fault("refused", flaw)
      await this.boxes.checkRoom(body.box, body.request)
      await this.#useUp(body.reason)
      await this.#record(envelope, body)
      await this.boxes.putRequest(body.box, body.request, await sealRequest(envelope, body.recipient))
      await this.#parts.staff.note(staff, "asked an owner to be let in")
      return body
    } catch (error) {
      if (isFault(error, "refused")) await this.#refused(said, error)
      throw error
    }
  }

  async #read(envelope: Uint8Array): Promise<LookRequest> {
    try {
      return readLookRequest(envelope)
    } catch (error) {
      if (isFault(error)) await this.#parts.staff.note(null, `refused: ${error.message}`)
      throw error
    }
  }

  /** A reason is good for one request, whoever gives it: "support" said once a day is no reason. */
  async #useUp(reason: string): Promise<void> {
    const { folder } = this.#parts
    const fingerprint = fingerprintOf(reason)
    await folder.inTurn(async () => {
      const { fingerprints } = await folder.state(FILE, reasonsShape, { format: 1, fingerprints: [] })
      if (fingerprints.includes(fingerprint)) throw new Fault("refused", "a reason that was given before")
      await folder.keep(FILE, { format: 1, fingerprints: [...fingerprints, fingerprint] })
    })
  }

  /** By the key that was made for this request: the person's own would join all whom they ever helped. */
  #record(envelope: Uint8Array, { box, receiver, reason }: LookRequest): Promise<void> {
    const by = { role: "support", key: publicKeyFromHex(receiver).id } as const
    const request = sha256Hex(envelope)
    return this.#parts.record({ kind: "support", device: box, by, reason, request, step: "asked" })
  }

  #refused({ box, receiver, reason: said }: LookRequest, { message: refusal }: Fault): Promise<void> {
    const key = publicKeyFromHex(receiver).id
    return this.#parts.record(refusedRecord("support", { device: box, key, said, refusal }))
  }
}
