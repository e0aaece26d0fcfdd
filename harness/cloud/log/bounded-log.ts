import { Fault } from "../../../firmware/errors.ts"
import { seconds, type UnixMilliseconds } from "../../../firmware/units.ts"
import type { DoorLog } from "./access-log.ts"
import { Allowance, type Bound } from "./allowance.ts"

/** More than eight viewers make who look day and night. */
const OF_ONE_CAMERA: Bound = { together: 512, every: seconds(30) }

/**
 * A log in which one camera has only so many records. Whoever may connect can be a camera and its owner, and sign grants, key
 * changes and live sessions without end. What is beyond rejects with Fault "full", definite: it is refused, or tried again
 * later, as when the disk is full, and no other camera notices.
 */
export function boundedLog(log: DoorLog, now: () => UnixMilliseconds, bound: Bound = OF_ONE_CAMERA): DoorLog {
  const allowance = new Allowance(bound, now)
  return {
    append(record) {
      if (!allowance.isLeft(record.device))
        return Promise.reject(
          new Fault("full", "access log: too many records of one camera; later it takes more"),
        )
      allowance.take(record.device)
      return log.append(record)
    },
    mailbox: (device) => log.mailbox(device),
    publish: () => log.publish(),
    directory: log.directory,
    get isAble() {
      return log.isAble
    },
  }
}
