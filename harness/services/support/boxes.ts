import { join } from "node:path"
import { deviceId, objectId } from "../../../firmware/control/protocol.ts"
import { Fault } from "../../../firmware/errors.ts"
import { type Milliseconds, minutes, type UnixMilliseconds } from "../../../firmware/units.ts"
import type { ServiceFolder } from "../service-folder.ts"

/** Of one code: an owner who is asked more often makes another. */
const REQUESTS_MAX = 8
const KEPT_FOR: Milliseconds = minutes(25 * 60)

/**
 * Where requests and answers lie for whoever has the code: `boxes/<box>/<request>.request`, `.answer`, each an age file.
 * Nobody reads or lists anything without the box's name, and who has the name alone reads nothing.
 */
export class SupportBoxes {
  readonly #folder: ServiceFolder

  constructor(folder: ServiceFolder) {
    this.#folder = folder
  }

  /** @throws Fault "refused", definite: there are too many, or this one is there. */
  async checkRoom(box: string, request: string): Promise<void> {
    const there = await this.requests(box)
    if (there.includes(request)) throw new Fault("refused", "this request was made before")
    if (there.length >= REQUESTS_MAX) throw new Fault("refused", "too many requests with this code")
  }

  /** @throws as `checkRoom`. */
  putRequest(box: string, request: string, file: Uint8Array): Promise<void> {
    return this.#folder.inTurn(async () => {
      await this.checkRoom(box, request)
      await this.#folder.put(pathOf(box, request, "request"), file)
    })
  }

  /** @throws Fault "refused", definite: it is answered, or there is no such request. */
  putAnswer(box: string, request: string, file: Uint8Array): Promise<void> {
    return this.#folder.inTurn(async () => {
      if ((await this.request(box, request)) === null) throw new Fault("refused", "there is no such request")
      if ((await this.answer(box, request)) !== null) throw new Fault("refused", "this request is answered")
      await this.#folder.put(pathOf(box, request, "answer"), file)
    })
  }

  /** Nobody listens to a code for longer than a day, nor looks for longer than minutes: what is older goes. */
  async sweep(now: UnixMilliseconds): Promise<void> {
    if ((await this.#folder.names(".")).length === 0) return
    await this.#folder.inTurn(async () => {
      await this.#folder.eraseHalfWritten()
      await this.#folder.eraseOlder("boxes", now - KEPT_FOR)
    })
  }

  async requests(box: string): Promise<readonly string[]> {
    const names = deviceId.safeParse(box).success ? await this.#folder.names(join("boxes", box)) : []
    return names.flatMap((name) => (name.endsWith(".request") ? [name.slice(0, -".request".length)] : []))
  }

  request(box: string, request: string): Promise<Uint8Array | null> {
    return this.#folder.read(pathOf(box, request, "request"))
  }

  answer(box: string, request: string): Promise<Uint8Array | null> {
    return this.#folder.read(pathOf(box, request, "answer"))
  }
}

/** @throws Fault "malformed", definite: names that are none. */
function pathOf(box: string, request: string, what: "request" | "answer"): string {
  if (!deviceId.safeParse(box).success || !objectId.safeParse(request).success)
    throw new Fault("malformed", "no such support box")
  return join("boxes", box, `${request}.${what}`)
}
