import { isFault } from "../../firmware/errors.ts"
import type { MailboxEntry } from "../cloud/log/mailboxes.ts"
import { type AccessRecord, commitmentOf, decodeRecord, NO_RECORD } from "../cloud/log/records.ts"
import type { LogAlerts } from "./log-alerts.ts"
import type { SeenTip } from "./log-memory.ts"

/** A record that is in its device's chain. That it is in the log is not said. */
export interface FoundRecord {
  readonly number: number
  readonly index: number
  readonly commitment: Buffer
  readonly record: AccessRecord
}

/**
 * The chain of one device's records. Each counts one up and names the commitment to the one before, so that of those
 * given none can be left out, changed or moved; what was given before (`seen`) cannot be left out at the end.
 */
export function readRecords(
  entries: readonly MailboxEntry[],
  device: string,
  seen: SeenTip | null,
  alerts: LogAlerts,
): readonly FoundRecord[] {
  const found: FoundRecord[] = []
  let number = 0
  let previous: string | null = NO_RECORD
  let index = -1
  for (const entry of entries) {
    const each = readRecord(entry, device, alerts)
    if (each === null) continue
    if (each.number > number) {
      alerts.add({ kind: "removed", device, from: number, to: each.number - 1 })
      previous = null
    }
    if (each.number < number || each.index <= index) {
      alerts.add({ kind: "reordered", device, number: each.number })
      continue
    }
    if (previous !== null && each.previous !== previous)
      alerts.add({ kind: "changed", device, number: Math.max(0, each.number - 1) })
    found.push(each)
    number = each.number + 1
    previous = each.commitment.toString("hex")
    index = each.index
  }
  if (seen !== null) checkSeen(found, device, seen, number, alerts)
  return found
}

function checkSeen(
  found: readonly FoundRecord[],
  device: string,
  { count, last }: SeenTip,
  number: number,
  alerts: LogAlerts,
): void {
  if (number < count) alerts.add({ kind: "removed", device, from: number, to: count - 1 })
  const same = found.find((each) => each.number === count - 1)
  if (same && same.commitment.toString("hex") !== last)
    alerts.add({ kind: "changed", device, number: same.number })
}

function readRecord(
  { device: of, index, salt, record: bytes }: MailboxEntry,
  device: string,
  alerts: LogAlerts,
): (FoundRecord & { readonly previous: string }) | null {
  try {
    const { number, previous, record } = decodeRecord(bytes)
    if (record.device === device && of === device)
      return { number, previous, index, record, commitment: commitmentOf(salt, bytes) }
    alerts.add({ kind: "not a record", device, reason: "one of another camera" })
  } catch (error) {
    if (!isFault(error, "malformed")) throw error
    alerts.add({ kind: "not a record", device, reason: error.message })
  }
  return null
}
