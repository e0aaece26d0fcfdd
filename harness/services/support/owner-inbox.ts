import { join } from "node:path"
import { z } from "zod"
import { unverified } from "../../../firmware/control/dsse.ts"
import { fromJson, toJson } from "../../../firmware/control/json.ts"
import { publicKeyFromHex } from "../../../firmware/control/keys.ts"
import { grantShape } from "../../../firmware/control/live-messages.ts"
import { deviceId, objectId } from "../../../firmware/control/protocol.ts"
import { Fault, isFault } from "../../../firmware/errors.ts"
import { minutes, type UnixMilliseconds } from "../../../firmware/units.ts"
import { OwnerFolder } from "../../owner/folder.ts"
import { FolderFiles } from "../../owner/folder-files.ts"
import { ServiceFolder } from "../service-folder.ts"
import type { SupportBoxes } from "./boxes.ts"
import { newSupportCode, parseSupportCode, type SupportCode } from "./code.ts"
import { fingerprintOf, flawOfReason } from "./reason.ts"
import { type LookRequest, openRequest } from "./request.ts"

/** For as long a code is listened to. */
const CODE_FOR = minutes(24 * 60)

const ANSWERED_MAX = 64

const codeShape = z.strictObject({
  code: z.string().max(60),
  box: deviceId,
  made: z.number(),
  answered: z.array(objectId).max(ANSWERED_MAX),
})
type KeptCode = z.infer<typeof codeShape>

/** A request that came with one of this owner's codes: somebody knows the code. Who they are, is their company's word. */
export interface Asked extends LookRequest {
  readonly code: SupportCode
  /** SHA-256 of what they signed. */
  readonly hash: string
}

/**
 * An owner's codes, `support/<box>.json` in the owner's folder, and what came with them. Each request is judged here once
 * more: of the desk nothing is believed.
 */
export class SupportInbox {
  readonly #directory: string
  readonly #files: FolderFiles
  readonly #folder: OwnerFolder
  readonly #boxes: SupportBoxes
  readonly #now: () => UnixMilliseconds

  /** `directory`: the owner's folder. */
  constructor(directory: string, boxes: SupportBoxes, now: () => UnixMilliseconds = Date.now) {
    this.#directory = directory
    this.#files = new FolderFiles(directory)
    this.#folder = new OwnerFolder(directory)
    this.#boxes = boxes
    this.#now = now
  }

  /** Good for a day. @throws Fault "usage", definite: the folder cannot be written. */
  async newCode(): Promise<SupportCode> {
    const code = await newSupportCode()
    await this.#keep({ code: code.text, box: code.box, made: this.#now(), answered: [] })
    return code
  }

  /** What waits for an answer. What is not a request, or gives no new reason, is not among it: `onBad` hears of it. */
  async open(onBad: (why: string) => void = () => undefined): Promise<readonly Asked[]> {
    const asked: Asked[] = []
    for (const { code: text, made, box, answered } of await this.#kept()) {
      if (this.#now() - made > CODE_FOR) continue
      const code = await parseSupportCode(text)
      for (const request of await this.#boxes.requests(box)) {
        if (answered.includes(request)) continue
        try {
          const file = await this.#boxes.request(box, request)
          if (file === null) continue
          const body = await openRequest(file, code)
          if (body.request !== request) throw new Fault("tampered", "under another request's name")
          const flaw = (await this.#wasGranted(body.reason))
            ? "a reason that was given before"
            : flawOfReason(body.reason)
          if (flaw !== null) throw new Fault("refused", flaw)
          asked.push({ ...body, code })
        } catch (error) {
          if (!isFault(error) || error.kind === "usage") throw error
          onBad(`a request with code ${text.slice(0, 4)}… is not shown: ${error.message}`)
        }
      }
    }
    return asked
  }

  /** Before the answer leaves: one request has one answer. @throws Fault "refused", definite: it has one. */
  answering({ code, request }: Asked): Promise<void> {
    return new ServiceFolder(join(this.#directory, "support")).inTurn(async () => {
      const kept = (await this.#kept()).find(({ box }) => box === code.box)
      if (!kept || kept.answered.includes(request)) throw new Fault("refused", "this request is answered")
      if (kept.answered.length >= ANSWERED_MAX)
        throw new Fault("refused", "too much was asked with this code: make another")
      await this.#keep({ ...kept, answered: [...kept.answered, request] })
    })
  }

  /** Whether this owner has ever let somebody look for that reason, at any camera. */
  async #wasGranted(reason: string): Promise<boolean> {
    const fingerprint = fingerprintOf(reason)
    for (const { id } of await this.#folder.cameras())
      for (const envelope of await this.#folder.kept("grants", id)) {
        const grant = unverified(envelope, grantShape)
        if (grant && fingerprintOf(grant.reason) === fingerprint) return true
      }
    return false
  }

  #kept(): Promise<readonly KeptCode[]> {
    return keptCodes(this.#files)
  }

  #keep(kept: KeptCode): Promise<void> {
    return this.#files.replace(join("support", `${kept.box}.json`), toJson(kept))
  }
}

/** Whose key looks, if the request is granted. */
export const viewerOf = ({ receiver }: LookRequest) => publicKeyFromHex(receiver)

/** Those of an owner's folder, old ones too. @throws Fault "malformed", definite: a damaged record. */
export async function keptCodes(files: FolderFiles): Promise<readonly KeptCode[]> {
  const names = (await files.names("support")).filter((name) => name.endsWith(".json")).sort()
  return Promise.all(
    names.map(async (name) => {
      const bytes = (await files.read(join("support", name))) ?? new Uint8Array()
      return fromJson(bytes, codeShape, `support/${name}`, 10_000)
    }),
  )
}
