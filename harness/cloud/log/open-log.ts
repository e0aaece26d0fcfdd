import type { SigningKey } from "../../../firmware/control/keys.ts"
import { type CloudLog, writeFault } from "../cloud-log.ts"
import { AccessLog, type DoorLog } from "./access-log.ts"
import { originOf } from "./checkpoint.ts"
import { Inbox } from "./inbox.ts"

/** The access log of a cloud that calls itself `name`, with its inbox. */
export interface OpenLog {
  readonly log: DoorLog
  close(): Promise<void>
}

/** @throws as `AccessLog.open`. */
export async function openCloudLog(
  directory: string,
  name: string,
  key: SigningKey,
  lines: CloudLog,
): Promise<OpenLog> {
  const onFault = (error: unknown) => writeFault(lines, "access log", error)
  const log = await AccessLog.open({ directory, origin: originOf(name), key, onFault })
  const inbox = new Inbox(log, directory, onFault)
  return { log, close: () => inbox.close().finally(() => log.close()) }
}
