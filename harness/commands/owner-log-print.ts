import type { PublicKey } from "../../firmware/control/keys.ts"
import type { LogIdentity } from "../cloud/log/checkpoint.ts"
import { type AccessRecord, KINDS, RECORD_KINDS } from "../cloud/log/records.ts"
import type { LogView } from "../owner/log.ts"
import { dateOf, describeLogAlert } from "../owner/log-alerts.ts"
import type { Compared } from "../owner/log-compare.ts"
import type { OwnMailbox } from "../services/own-mailboxes.ts"

/** One log, and the cameras that it must tell of. */
export interface Look {
  readonly log: LogIdentity
  readonly cameras: readonly PublicKey[]
  /** Mailboxes that are no camera's: of support codes, consents and posts. */
  readonly others?: readonly OwnMailbox[]
}

export function printLook(
  { log, cameras, others = [] }: Look,
  { checkpoint, continues, records, alerts, pending }: LogView,
): void {
  const since = continues
    ? `it continues the ${continues.size} that you saw on ${dateOf(continues.at)}`
    : "your first look: later ones are held against it"
  const isHead = alerts.some(({ kind }) => kind === "rolled back" || kind === "forked")
  console.log(
    `log ${log.origin}: ${counted(checkpoint.size, "entry", "entries")}${isHead ? "" : `, ${since}`}`,
  )
  for (const { id: device } of cameras) {
    const own = records.get(device) ?? []
    console.log(`camera ${device}: ${counted(own.length, "record", "records")}, proven to be in the log`)
    for (const record of own) console.log(`  ${inWords(record)}`)
  }
  for (const { of, key } of others)
    for (const record of records.get(key.id) ?? [])
      console.log(`  ${inWords(record)}  (${of} ${key.id.slice(0, 8)})`)
  if (pending > 0) console.log(`${pending} records wait for the next checkpoint; look again in a few seconds`)
  for (const alert of alerts) {
    const device = "device" in alert && alert.device !== null ? `${nameOf(alert.device, others)}: ` : ""
    console.log(`! ${device}${describeLogAlert(alert)}`)
  }
  for (const trace of ["forced", "policy"] as const) {
    console.log(trace === "forced" ? "forced to leave a trace:" : "only by the cloud's policy:")
    for (const kind of RECORD_KINDS)
      if (KINDS[kind].trace === trace) console.log(`  ${kind.padEnd(16)} ${KINDS[kind].because}`)
  }
}

function nameOf(device: string, others: readonly OwnMailbox[]): string {
  return `${others.find(({ key }) => key.id === device)?.of ?? "camera"} ${device}`
}

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

function inWords(record: AccessRecord): string {
  const { at, kind, by, reason } = record
  const who = by.key === null ? by.role : `${by.role} ${by.key.slice(0, 8)}`
  return `${dateOf(at)}  ${kind.padEnd(16)} ${who.padEnd(20)} ${whatOf(record).padEnd(28)} ${reason}`
}

function whatOf(record: AccessRecord): string {
  switch (record.kind) {
    case "live session":
      return `session ${record.session.slice(0, 8)}`
    case "grant":
      return `for ${record.purpose}`
    case "consent":
      return record.change
    case "key change":
      return `epoch ${record.epoch}`
    case "deletion":
      return counted(record.objects, "object", "objects")
    case "support":
    case "labelling":
      return record.step
    case "ciphertext read":
      return readInWords(record.objects)
    case "view repeated":
      return `grant ${record.grant.slice(0, 8)}`
    case "request refused":
      return `${record.request}: ${record.refusal}${record.times > 1 ? `, ${record.times} times` : ""}`
  }
}

function readInWords([first = "", ...others]: readonly string[]): string {
  return `object ${first.slice(0, 8)}${others.length > 0 ? ` and ${others.length} more` : ""}`
}

/** false: a fork. */
export function printCompared(compared: Compared): boolean {
  const { outcome, theirs } = compared
  switch (outcome) {
    case "same":
      console.log(`same: they see the ${theirs.size} entries that you see`)
      return true
    case "older":
      console.log(`older: they saw ${theirs.size} entries, and yours continue them`)
      return true
    case "newer":
      console.log(
        `newer: they see ${theirs.size} entries, which continue yours; look again, and if it stays so the cloud withholds the rest from you`,
      )
      return true
    case "fork":
      console.log(
        `! fork, a split view: the cloud shows you one log and them another; it has signed both, and these two notes prove it:\n`,
      )
      for (const note of compared.notes) console.log(note)
      return false
  }
}
