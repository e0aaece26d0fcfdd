import type { Heartbeat } from "../../../firmware/control/protocol.ts"
import type { Fault } from "../../../firmware/errors.ts"
import { isFault } from "../../../firmware/errors.ts"
import type { Beats } from "../beats.ts"
import type { LogOfAccesses } from "./access-log.ts"
import { decodeRecord, traceOf } from "./records.ts"

/** Of a camera, that the log has no record yet of whom it seals for. */
interface Unlogged {
  /** To the log; false: that failed. */
  isGoing: boolean
}

/**
 * What a cloud sees today of all that the log may tell: whom a camera seals for, out of its signed heartbeats. The
 * first one after pairing makes a record, and each one that names other recipients than the one before.
 *
 * Wraps heartbeats that were verified. A heartbeat is not held up: the record is appended beside it. Those that name what
 * is in no record yet are not flushed, so a change that a crash, a full disk or the cloud's end swallowed is news again in
 * the camera's next heartbeat; until then it is tried again with each. One that was logged just before the crash is found
 * in the camera's mailbox, and makes no second record.
 */
export function loggedBeats(
  beats: Beats,
  log: LogOfAccesses,
  now: () => number,
  onFault: (error: Fault) => void,
): Beats {
  const appending = new Set<Promise<void>>()
  const unlogged = new Map<string, Unlogged>()
  let isNews = false
  const append = async (body: Heartbeat, change: Unlogged, wasTold: boolean): Promise<void> => {
    try {
      if (!(await isLogged(log, body)))
        await log.append({
          kind: "key change",
          device: body.device,
          at: now(),
          by: { role: "owner", key: body.owner },
          reason: body.epoch <= 1 ? "paired" : "recipients changed by the owner",
          epoch: body.epoch,
          recipients: body.recipients,
        })
      if (unlogged.get(body.device) === change) unlogged.delete(body.device)
    } catch (error) {
      if (!isFault(error)) throw error
      if (!wasTold) onFault(error)
      change.isGoing = false
    }
  }
  return {
    ...beats,
    set(body, envelope) {
      const { device, recipients } = body
      const before = beats.latest(device)
      const kept = beats.set(body, envelope)
      const open = unlogged.get(device)
      const isDue = before?.recipients !== recipients || open?.isGoing === false
      if (kept && isDue) {
        const change = { isGoing: true }
        unlogged.set(device, change)
        const done: Promise<void> = append(body, change, open !== undefined).finally(() =>
          appending.delete(done),
        )
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
      for (const device of unlogged.keys()) if (beats.latest(device) === null) unlogged.delete(device)
      await beats.flush(unlogged)
    },
  }
}

/** Recipients have one record for ever: a heartbeat from before, that somebody says again, changes nobody's keys back. */
async function isLogged(
  log: Pick<LogOfAccesses, "mailbox">,
  { device, recipients }: Heartbeat,
): Promise<boolean> {
  const entries = await log.mailbox(device)
  return entries.some(({ record }) => traceOf(decodeRecord(record).record) === `key change ${recipients}`)
}
