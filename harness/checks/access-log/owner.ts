import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { signingKeyOf } from "../../../firmware/control/keys.ts"
import { publicFolder } from "../../cloud/log/access-log.ts"
import { signCheckpoint } from "../../cloud/log/checkpoint.ts"
import { folderSource, type LogSource } from "../../cloud/log/log-source.ts"
import type { MailboxEntry } from "../../cloud/log/mailboxes.ts"
import { type AccessRecord, decodeRecord, encodeRecord } from "../../cloud/log/records.ts"
import { compareCheckpoints, exportCheckpoint } from "../../owner/log-compare.ts"
import type { Run } from "../check.ts"
import { accesses, kindsOf, LOG, look, OURS, THEIRS, withLogs } from "../worlds/log-folders.ts"

const STRANGER = signingKeyOf(Buffer.alloc(32, 4))

/** What an owner finds out about a log that a cloud shows. */
export const checks = {
  "fork-and-rollback-found": () =>
    withLogs(async (tries, folders) => {
      const honest = await folders.logOf(accesses(0, 9))
      const first = await look(honest)
      tries.is(kindsOf(first), [], "alerts about an honest log")
      const early = await folders.copyOf(honest.directory)
      const longer = await folders.logOf(accesses(9, 30), honest.directory)
      const second = await look(longer, first.seen)
      tries.is(kindsOf(second), [], "alerts about an honest log that has grown")
      const back = await look(folderSource(early), second.seen)
      tries.is(kindsOf(back).includes("rolled back"), true, "a log that went back")
      const theirs = (count: number) => accesses(0, count).filter(({ device }) => device === THEIRS)
      const { seen } = await look(await folders.logOf(theirs(4)))
      const forked = await folders.logOf(theirs(12))
      tries.is(
        kindsOf(await look(forked, seen)),
        ["forked"],
        "a log that was made anew, of others' records alone",
      )
      const shorter = await look(await folders.logOf(theirs(9)), (await look(forked)).seen)
      tries.is(kindsOf(shorter).length > 0, true, "a log that was made anew, and is shorter")
    }),

  "record-changed-found": () =>
    withLogs(async (tries, folders) => {
      const source = await folders.logOf(accesses(0, 12))
      const changes: Readonly<Record<string, (all: MailboxEntry[]) => MailboxEntry[]>> = {
        removed: (all) => all.filter(({ number }) => number !== 4),
        "the first removed": (all) => all.slice(1),
        swapped: (all) => [...all.slice(0, 2), ...all.slice(2, 4).reverse(), ...all.slice(4)],
        "shown twice": (all) => [...all, ...all.slice(-1)],
        "another salt": (all) =>
          all.map((each, at) => (at === 3 ? { ...each, salt: Buffer.alloc(32) } : each)),
        "another reason": (all) => all.map((each, at) => (at === all.length - 1 ? withReason(each) : each)),
        "another index": (all) =>
          all.map((each, at) => (at === 3 ? { ...each, index: each.index + 1 } : each)),
        "somebody else's": () => [],
      }
      for (const [what, change] of Object.entries(changes)) {
        const isForeign = what === "somebody else's"
        const lying: LogSource = {
          ...source,
          mailbox: async (device) =>
            isForeign ? source.mailbox(THEIRS) : change([...(await source.mailbox(device))]),
        }
        tries.holds((await look(lying)).alerts.length > 0, `records of which one is ${what}: no alert`)
      }
      tries.is((await look(source)).alerts, [], "alerts about records as they are")
      const { seen } = await look(source)
      const hidden: LogSource = {
        ...source,
        mailbox: async (device) => (await source.mailbox(device)).slice(0, -1),
      }
      tries.is(kindsOf(await look(hidden, seen)), ["removed"], "the newest record hidden from whoever saw it")
    }),

  "pinned-log-key": () =>
    withLogs(async (tries, folders) => {
      const source = await folders.logOf(accesses(0, 4))
      const { checkpoint } = await look(source)
      await tries.refused(() => look(source, null, { log: { ...LOG, key: STRANGER } }), "another key's log")
      await writeFile(
        join(publicFolder(source.directory), "checkpoint"),
        signCheckpoint(checkpoint, STRANGER),
      )
      await tries.refused(() => look(source), "a checkpoint that a stranger signed")
      const gone: LogSource = { ...source, checkpoint: async () => null }
      await tries.refused(() => look(gone), "no checkpoint at all")
    }),

  "forced-traces": () =>
    withLogs(async (tries, folders) => {
      const grant = "a".repeat(64)
      const record: AccessRecord = {
        ...{ kind: "grant", device: OURS, at: 1, by: { role: "support", key: null }, reason: "it freezes" },
        ...{ grant, purpose: "live view", receiver: null },
      } as AccessRecord
      const traces = [{ device: OURS, trace: `grant ${grant}` }]
      for (const [records, kinds] of [
        [[record], []],
        [accesses(0, 3), ["not logged"]],
        [[record, record], ["twice"]],
      ] as const)
        tries.is(
          kindsOf(await look(await folders.logOf(records), null, { traces })),
          kinds,
          "what is told of a grant",
        )
    }),

  "split-view-found": () =>
    withLogs(async (tries, folders) => {
      const ours = await folders.logOf(accesses(0, 9))
      const compare = async (message: Uint8Array, source: LogSource) =>
        compareCheckpoints(message, (await look(source)).checkpoint, LOG, source)
      for (const count of [9, 14, 5]) {
        const theirs = await folders.logOf(accesses(0, count))
        const message = await exportCheckpoint((await look(theirs)).checkpoint, null, theirs)
        const shown = count > 9 ? { ...ours, tile: theirs.tile } : ours
        tries.is((await compare(message, shown)).outcome, "fork", `two owners' logs, of 9 and of ${count}`)
      }
      const early = folderSource(await folders.copyOf(ours.directory))
      await folders.logOf(accesses(9, 40), ours.directory)
      const old = await exportCheckpoint((await look(early)).checkpoint, null, early)
      tries.is((await compare(old, ours)).outcome, "older", "one log at two times")
      const forged = signCheckpoint((await look(ours)).checkpoint, STRANGER)
      await tries.refused(() => compare(forged, ours), "a checkpoint that the log did not sign")
    }),
} satisfies Readonly<Record<string, Run>>

function withReason(entry: MailboxEntry): MailboxEntry {
  const logged = decodeRecord(entry.record)
  return { ...entry, record: encodeRecord({ ...logged, record: { ...logged.record, reason: "nothing" } }) }
}
