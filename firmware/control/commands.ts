import type { Spool } from "../delivery/spool.ts"
import { isFault } from "../errors.ts"
import type { LiveView, Outcome } from "../live/live-view.ts"
import type { Log } from "../ports.ts"
import { WakeUp } from "../wake.ts"
import { ENVELOPE_BYTES_MAX, kindOf, sign, verify } from "./dsse.ts"
import type { Identity } from "./identity.ts"
import { sha256Hex } from "./keys.ts"
import type { Link } from "./link.ts"
import type { Ownership, OwnershipFile } from "./ownership.ts"
import type { Privacy } from "./privacy.ts"
import { type Answer, deviceTopic, resendShape } from "./protocol.ts"
import type { Tuning } from "./tuning.ts"

/** Of each kind: a flood of commands costs the flood, not the camera, and asks never keep the owner's commands waiting. */
const WAITING_MAX = 8
const HEARD = ["command", "head", "view"] as const
const NONCES_MAX = 256

export interface ObeyParts {
  readonly link: Link
  readonly spool: Spool
  readonly identity: Identity
  readonly ownership: () => Ownership
  readonly setOwnership: (ownership: Ownership) => void
  readonly file: OwnershipFile
  readonly live: Pick<LiveView, "ask" | "report" | "renew" | "revoke" | "endAll" | "onFailure">
  readonly privacy: Pick<Privacy, "command">
  readonly tuning: Pick<Tuning, "command">
  readonly log: Log
}

/**
 * Obeys the owner, and nobody else: each command is signed by the owner's key pinned at pairing. Everything else is
 * refused with a reason, in a signed answer. There is no command that weakens sealing; there is none to refuse.
 */
export async function obey(parts: ObeyParts, signal: AbortSignal): Promise<void> {
  const { link, identity, live } = parts
  const waiting: { name: (typeof HEARD)[number]; payload: Buffer }[] = []
  const done = new Set<string>()
  const arrival = new WakeUp()
  let failure: { readonly error: unknown } | null = null
  live.onFailure = (error) => {
    failure ??= { error }
    arrival.wake()
  }
  link.onMessage((topic, payload) => {
    const name = HEARD.find((each) => topic === deviceTopic(identity.device, each))
    if (name === undefined || (name === "view" && live.report(payload))) return
    const before = waiting.filter((each) => each.name === name).length
    if (before < WAITING_MAX && payload.length <= ENVELOPE_BYTES_MAX)
      waiting.push({ name, payload: Buffer.from(payload) })
    arrival.wake()
  })
  try {
    while (!signal.aborted && failure === null) {
      // Commands first: what takes a grant back overtakes those who ask.
      const first = waiting.findIndex(({ name }) => name !== "view")
      const [next] = waiting.splice(Math.max(0, first), 1)
      if (!next) await arrival.wait(signal)
      else if (next.name === "head") await adopt(parts, next.payload)
      else if (next.name === "view") await live.ask(next.payload)
      else await answer(parts, next.payload, done)
    }
  } finally {
    await live.endAll("stopped")
  }
  if (failure !== null) throw (failure as { readonly error: unknown }).error
}

/** The cloud says that this camera has signed something newer than it knows: true if its own signature is on it. */
async function adopt({ spool, log }: ObeyParts, envelope: Uint8Array): Promise<void> {
  try {
    const sequence = await spool.adopt(envelope)
    if (sequence !== null) log.write({ event: "head adopted", sequence })
  } catch (error) {
    if (!isFault(error) || error.kind === "broken") throw error
    log.write({ event: "command", kind: "head", result: "refused", reason: error.message })
  }
}

async function answer(parts: ObeyParts, envelope: Uint8Array, done: Set<string>): Promise<void> {
  const { link, identity, log } = parts
  const kind = kindOf(envelope) ?? "unknown"
  const outcome = await execute(parts, kind, envelope, done)
  const result = outcome.ok ? "done" : "refused"
  log.write({ event: "command", kind, result, reason: outcome.reason })
  const body: Answer = {
    device: identity.device,
    command: sha256Hex(envelope),
    result,
    reason: outcome.reason.slice(0, 200),
  }
  try {
    await link.publish(deviceTopic(identity.device, "answer"), sign("answer", body, identity.key))
  } catch (error) {
    // The owner asks again; commands are harmless to repeat.
    if (!isFault(error, "unavailable")) throw error
  }
}

async function execute(
  parts: ObeyParts,
  kind: string,
  envelope: Uint8Array,
  done: Set<string>,
): Promise<Outcome> {
  try {
    switch (kind) {
      case "recipients":
        return await changeRecipients(parts, envelope)
      case "resend":
        return await resend(parts, envelope, done)
      case "renewal":
        return parts.live.renew(envelope)
      case "revocation":
        return await parts.live.revoke(envelope)
      case "privacy":
        return await parts.privacy.command(envelope)
      case "tuning":
        return await parts.tuning.command(envelope)
      default:
        return { ok: false, reason: "no such command" }
    }
  } catch (error) {
    if (!isFault(error) || !error.definite || error.kind === "broken") throw error
    return { ok: false, reason: error.message }
  }
}

async function changeRecipients(parts: ObeyParts, envelope: Uint8Array): Promise<Outcome> {
  const changed = await parts.file.change(parts.ownership(), envelope)
  if (!changed.ok) return changed
  parts.setOwnership(changed.ownership)
  parts.log.write({ event: "recipients changed", epoch: changed.ownership.recipients.epoch })
  return { ok: true, reason: `sealing for epoch ${changed.ownership.recipients.epoch}` }
}

/** `done` holds the nonces of what this boot has executed: a cloud that replays a command gets nothing but an answer. */
async function resend(
  { spool, ownership, identity }: ObeyParts,
  envelope: Uint8Array,
  done: Set<string>,
): Promise<Outcome> {
  const asked = verify("resend", envelope, ownership().owner, resendShape)
  if (asked.device !== identity.device) return { ok: false, reason: "meant for another camera" }
  if (asked.from > asked.to) return { ok: false, reason: "from is after to" }
  if (done.has(asked.nonce)) return { ok: true, reason: "already on their way" }
  const { here, gone } = await spool.resend(asked.from, asked.to)
  if (here === 0) return { ok: false, reason: "nothing of that is held here any more" }
  done.add(asked.nonce)
  for (const oldest of done) if (done.size > NONCES_MAX) done.delete(oldest)
  return { ok: true, reason: `${here} objects on their way, ${gone} no longer held` }
}
