import type { Heartbeat } from "../../../firmware/control/protocol.ts"
import type { Fault } from "../../../firmware/errors.ts"
import { isFault } from "../../../firmware/errors.ts"
import type { Beats } from "../beats.ts"
import type { LogOfAccesses } from "./access-log.ts"
import { decodeRecord } from "./records.ts"

/**
 * What a cloud sees today of all that the log may tell: whom a camera seals for, out of its signed heartbeats. The
 * first one after pairing makes a record, and each one that names other recipients than the one before.
 *
 * Wraps heartbeats that were verified. A heartbeat is not held up: the record is appended beside it. Beats are flushed
 * after the records that came of them, so a change that a crash swallowed shows again in the camera's next heartbeat.
 * One that was logged just before the crash is found in the camera's mailbox, and makes no second record. One that could
 * not be logged is tried again with the camera's next heartbeat.
 */
export function loggedBeats(
  beats: Beats,
  log: LogOfAccesses,
  now: () => number,
  onFault: (error: Fault) => void,
): Beats {
  const appending = new Set<Promise<void>>()
  const unlogged = new Set<string>()
  let isNews = false
  const append = async (body: Heartbeat): Promise<void> => {
    try {
      if ((await lastRecipients(log, body.device)) === body.recipients) {
        unlogged.delete(body.device)
        return
      }
      await log.append({
        kind: "key change",
        device: body.device,
        at: now(),
        by: { role: "owner", key: body.owner },
        reason: body.epoch <= 1 ? "paired" : "recipients changed by the owner",
        epoch: body.epoch,
        recipients: body.recipients,
      })
      unlogged.delete(body.device)
    } catch (error) {
      if (!isFault(error)) throw error
      if (!unlogged.has(body.device)) onFault(error)
      unlogged.add(body.device)
    }
  }
  return {
    ...beats,
    set(body, envelope) {
      const before = beats.latest(body.device)
      const kept = beats.set(body, envelope)
      if (kept && (before?.recipients !== body.recipients || unlogged.has(body.device))) {
        const done: Promise<void> = append(body).finally(() => appending.delete(done))
        appending.add(done)
        isNews = true
      }
      return kept
    },
    async flush() {
      // Who finds a heartbeat in the file finds its record in the log.
      if (isNews) await Promise.all(appending)
      if (isNews) await log.publish()
      isNews = false
      await beats.flush()
    },
  }
}

/** Those that the newest key change in the log names; null: there is none. */
async function lastRecipients(log: Pick<LogOfAccesses, "mailbox">, device: string): Promise<string | null> {
  const records = (await log.mailbox(device)).map(({ record }) => decodeRecord(record).record)
  const last = records.findLast(({ kind }) => kind === "key change")
  return last?.kind === "key change" ? last.recipients : null
}
