import type { ChainAlert } from "./chain-view.ts"
import type { HouseholdAlert } from "./household-check.ts"
import type { SequenceRange } from "./missing.ts"
import { describeTail, type TailAlert, type TailView } from "./tail.ts"
import type { VaultView } from "./vault.ts"

/** What of a camera is not as it should be: what one sees, and what to do about it. */
export interface Alert {
  readonly kind: AlertKind
  /** One line. */
  readonly says: string
  readonly advice: string
}

export type AlertKind = (ChainAlert | TailAlert | HouseholdAlert | CloudLoss)["kind"]

/** lost by the cloud: it shows that it had the object. signed and gone: this owner keeps its receipt. */
type CloudLoss =
  | { readonly kind: "lost by the cloud"; readonly clip: string; readonly objects: number }
  | { readonly kind: "signed and gone"; readonly from: number; readonly to: number }

export interface Watched {
  readonly view: VaultView
  readonly tail: Pick<TailView, "alerts">
  readonly keyAlerts: readonly HouseholdAlert[]
  /** Sequences that the cloud has signed for, of manifests that it does not show. */
  readonly gone: readonly SequenceRange[]
}

export function alertsOf({ view, tail, keyAlerts, gone }: Watched): readonly Alert[] {
  const losses: CloudLoss[] = gone.map((range) => ({ kind: "signed and gone", ...range }))
  for (const { clip, segments, thumbnail, summary } of view.clips) {
    const lost = [...segments, thumbnail, summary].filter((object) => object?.fate === "lost by the cloud")
    if (lost.length > 0) losses.push({ kind: "lost by the cloud", clip, objects: lost.length })
  }
  return [
    ...view.alerts.map((alert) => made(alert.kind, describeChain(alert))),
    ...tail.alerts.map((alert) => made(alert.kind, describeTail(alert))),
    ...keyAlerts.map((alert) => made(alert.kind, describeKeys(alert))),
    ...losses.map((loss) => made(loss.kind, describeLoss(loss))),
  ]
}

const made = (kind: AlertKind, says: string): Alert => ({ kind, says, advice: ADVICE[kind] })

const ASK_AGAIN = 'run "obscura owner resend": what the camera still holds comes again'
const ANOTHER_CAMERA =
  "somebody may run a copy of this camera, or its card was put back. Look at the camera; reset it and pair it anew, which gives it another key"
const WHOSE_KEY =
  'if you restored this household from an older book, run "obscura owner rotate". If not, the camera is not yours alone: reset it and pair it anew'

const ADVICE: Readonly<Record<AlertKind, string>> = {
  "not this camera's": "nothing of it was used. Whoever keeps the bucket put it there: ask them",
  fork: ANOTHER_CAMERA,
  gap: ASK_AGAIN,
  withheld: `wait a minute, for it may be on its way. If it stays, ${ASK_AGAIN}`,
  "another head": ANOTHER_CAMERA,
  "shows less": `${ASK_AGAIN}. Ask your cloud why it went back`,
  "shows another": ANOTHER_CAMERA,
  "older heartbeat": "the cloud shows what is old. Look again; if it stays, take the camera for offline",
  "replayed heartbeat": "the cloud shows what is old. Look again; if it stays, take the camera for offline",
  "two boots": `${ANOTHER_CAMERA}. It may also be a cloud that saved heartbeats up`,
  "not this camera's heartbeat": "it was not believed. Whoever keeps the bucket put it there: ask them",
  "unseen key": WHOSE_KEY,
  "unseen viewer":
    "if you lent the camera from another device of yours, all is well. If not, somebody has your keys: reset the camera, make a new owner, pair it anew",
  "another owner": WHOSE_KEY,
  unconfirmed: 'run "obscura owner household" when the camera is online; until then it seals for the old key',
  "sent late":
    "they can open these clips if they get at the sealed objects. What was recorded cannot be taken back",
  "lost by the cloud": `${ASK_AGAIN}. The cloud had it: keep this line, and ask them`,
  "signed and gone": `${ASK_AGAIN}. The signed receipt lies in your folder: it proves that the cloud had it`,
}

/** One line for a person. */
export function describeChain(alert: ChainAlert): string {
  switch (alert.kind) {
    case "not this camera's":
      return `foreign: a manifest that this camera did not sign (${alert.reason})`
    case "fork":
      return `fork: two histories of this camera part at sequence ${alert.sequence}`
    case "gap":
      return `gap: sequences ${alert.from} to ${alert.to} are missing, and the camera did not say why`
  }
}

function describeKeys(alert: HouseholdAlert): string {
  switch (alert.kind) {
    case "unseen key":
      return `unseen key: ${alert.where === "manifest" ? "objects are sealed" : "the camera says that it seals"} for recipients (epoch ${alert.epoch}) that you have not signed`
    case "unseen viewer":
      return `unseen viewer: key ${alert.viewer} looked live (session ${alert.session}), by a grant that is not in your folder`
    case "another owner":
      return `another owner: the camera obeys key ${alert.owner}, which is not yours`
    case "unconfirmed":
      return `unconfirmed: the camera was asked on ${dateOf(alert.since)} to seal for epoch ${alert.epoch}, and has not said that it does${who(alert.removed, "can still open what it records")}`
    case "sent late":
      return `sent late: sealed before the camera knew epoch ${alert.epoch}, shown after it${who(alert.removed, "can open")} ${alert.clips.join(", ")}`
  }
}

function describeLoss(loss: CloudLoss): string {
  if (loss.kind === "lost by the cloud")
    return `lost by the cloud: ${loss.objects} objects of clip ${loss.clip}, which it had`
  return `lost by the cloud: sequences ${loss.from} to ${loss.to}, for which it has signed, and shows nothing of them`
}

const who = (names: readonly string[], what: string): string =>
  names.length === 0 ? "" : `: ${names.join(", ")} ${what}`
const dateOf = (at: number): string => new Date(at).toISOString()
