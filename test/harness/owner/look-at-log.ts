import { folderSource, type LogSource } from "../../../harness/cloud/log/log-source.ts"
import type { MailboxEntry } from "../../../harness/cloud/log/mailboxes.ts"
import type { AccessRecord } from "../../../harness/cloud/log/records.ts"
import { type LogLook, type LogView, readLog } from "../../../harness/owner/log.ts"
import type { SeenLog } from "../../../harness/owner/log-memory.ts"
import { accessTo, deviceOf, Folders, LOG, openLog } from "../cloud/log/logs.ts"

/** Whoever uses them removes them after each test. */
export const folders = new Folders()

export const OURS = deviceOf(1)
export const THEIRS = deviceOf(2)

/** `records` one after another, in a log of their own, and what the owner of `OURS` is shown of it. */
export async function logOf(
  records: readonly AccessRecord[],
  at?: string,
): Promise<LogSource & { directory: string }> {
  const directory = at ?? (await folders.make())
  const log = await openLog(directory)
  for (const record of records) await log.append(record)
  await log.close()
  return { directory, ...folderSource(directory) }
}

export const accesses = (from: number, to: number): AccessRecord[] =>
  Array.from({ length: to - from }, (_, i) => accessTo((from + i) % 3 === 0 ? THEIRS : OURS, from + i))

export function look(
  source: LogSource,
  before: SeenLog | null = null,
  more: Partial<LogLook> = {},
  read = readLog,
) {
  return read(source, { log: LOG, devices: [OURS], before, traces: [], now: 1_700_000_000_000, ...more })
}

export const kindsOf = ({ alerts }: LogView): string[] => alerts.map(({ kind }) => kind)

/** The same log, whose mailbox a cloud has been at. */
export function withMailbox(
  source: LogSource,
  change: (entries: MailboxEntry[]) => MailboxEntry[],
): LogSource {
  return { ...source, mailbox: async (device) => change([...(await source.mailbox(device))]) }
}
