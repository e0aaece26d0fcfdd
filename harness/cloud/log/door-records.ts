import { kindOf, verify } from "../../../firmware/control/dsse.ts"
import { type PublicKey, sha256Hex } from "../../../firmware/control/keys.ts"
import { isSealedPart } from "../../../firmware/control/live-messages.ts"
import { answerShape, parseTopic } from "../../../firmware/control/protocol.ts"
import type { Fault } from "../../../firmware/errors.ts"
import { isFault } from "../../../firmware/errors.ts"
import type { Session } from "../access.ts"
import type { Beats } from "../beats.ts"
import type { ShownGrant } from "../viewers.ts"
import type { DoorLog } from "./access-log.ts"
import { OnceEach, oneLine } from "./once.ts"
import { RefusalRecords, type RefusedRequest } from "./refusals.ts"

/** Of what comes to a broker's door, by its name there, which request it is; of all else no record is made. */
const REQUESTS: Readonly<Record<string, RefusedRequest["request"]>> = {
  view: "live view",
  command: "command",
  delete: "deletion",
  log: "grant",
}

/** What a cloud's door records: grants before they are carried to a camera, and requests that it or a camera refused. */
export class DoorRecords {
  readonly #log: DoorLog
  readonly #beats: Pick<Beats, "latest" | "owns">
  readonly #now: () => number
  readonly #onFault: (error: Fault) => void
  readonly #once: OnceEach
  readonly #refusals: RefusalRecords

  constructor(
    log: DoorLog,
    beats: Pick<Beats, "latest" | "owns">,
    now: () => number,
    onFault: (error: Fault) => void,
  ) {
    this.#log = log
    this.#beats = beats
    this.#now = now
    this.#onFault = onFault
    this.#once = new OnceEach(log)
    this.#refusals = new RefusalRecords(log, beats, now, onFault)
  }

  /**
   * Of what `by` is carried on to: nobody looks while the log takes nothing, and a grant that is `shown` is in it before
   * its ask goes on. What a camera refuses a viewer is noted. null: it may go on.
   */
  carry(
    by: PublicKey,
    topic: string,
    payload: Buffer,
    shown: ShownGrant | "before" | null,
  ): "not logged" | null | Promise<"not logged" | null> {
    const parsed = parseTopic(topic)
    if (parsed?.name === "live") this.#saidToViewer(by, parsed.viewer, payload)
    if (parsed?.name !== "view") return null
    if (!this.#log.isAble) return "not logged"
    if (shown === null || shown === "before") return null
    return this.grant(sha256Hex(shown.envelope), shown).then(
      () => null,
      (error: unknown) => {
        if (!isFault(error)) throw error
        this.#onFault(error)
        return "not logged"
      },
    )
  }

  /** Durable when it resolves; one record, however often the grant is shown. @throws as `AccessLog.append`. */
  grant(hash: string, { body, owner, receiver }: ShownGrant): Promise<void> {
    return this.#once.append({
      ...{ kind: "grant", device: body.device, at: this.#now(), by: { role: "owner", key: owner } },
      ...{ reason: oneLine(body.reason, "no reason"), grant: hash, purpose: "live view", receiver },
    })
  }

  /** Durable when it resolves; one record, however often it is asked for. @throws as `AccessLog.append`. */
  deletion(device: string, by: string, request: string, objects: number): Promise<void> {
    return this.#once.append({
      ...{ kind: "deletion", device, at: this.#now(), by: { role: "owner", key: by } },
      ...{ reason: "the owner asked for it", request, objects },
    })
  }

  /** The door did not take a message of `session`'s to `device` by the name `name`. */
  refused(session: Session, device: string, name: string, refusal: string): void {
    const request = REQUESTS[name]
    if (request === undefined) return
    this.#refusals.refused({ device, request, refusal, by: this.#who(session, device) })
  }

  /** What a camera says to a viewer, by id: of its pictures nothing is known, and each refusal is a record. */
  #saidToViewer(camera: PublicKey, viewer: string, payload: Buffer): void {
    if (isSealedPart(payload) || kindOf(payload) !== "answer") return
    try {
      const { result, reason: refusal } = verify("answer", payload, camera, answerShape)
      if (result !== "refused") return
      const role = this.#beats.owns(viewer, camera.id) ? "owner" : "viewer"
      const by = { role, key: viewer } as const
      this.#refusals.refused({ device: camera.id, request: "live view", refusal, by })
    } catch (error) {
      // Not this camera's word: its viewer takes it for none either.
      if (!isFault(error)) throw error
    }
  }

  drained(): Promise<void> {
    return this.#refusals.drained()
  }

  #who({ role, key }: Session, device: string): RefusedRequest["by"] {
    if (this.#beats.owns(key.id, device)) return { role: "owner", key: key.id }
    return { role: role === "viewer" ? "viewer" : "stranger", key: key.id }
  }
}
