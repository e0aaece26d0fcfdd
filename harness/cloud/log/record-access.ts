import type { LogOfAccesses } from "./access-log.ts"
import { leaveRecord } from "./inbox.ts"
import type { AccessRecord } from "./records.ts"

type WithoutTime<R> = R extends AccessRecord ? Omit<R, "at"> : never
export type Access = WithoutTime<AccessRecord>

/**
 * Records an access, before it happens: whoever calls this awaits it, and does nothing if it rejects. `log`: the log that
 * this process has open, or the folder of one that the cloud's process has (`obscura-home/cloud/log`).
 *
 * @throws as `AccessLog.append` and `leaveRecord`: the access must not happen then.
 */
export async function recordAccess(
  log: LogOfAccesses | string,
  access: Access,
  now = Date.now(),
): Promise<void> {
  const record = { ...access, at: now } as AccessRecord
  if (typeof log === "string") await leaveRecord(log, record)
  else await log.append(record)
}
