import type { Fault } from "../../../firmware/errors.ts"
import type { Beats } from "../beats.ts"
import type { WritableBucket } from "../bucket.ts"
import type { LogOfAccesses } from "./access-log.ts"
import { loggedBeats } from "./key-changes.ts"
import { bucketThatLogs } from "./live-sessions.ts"

/**
 * All that ties this cloud to its access log: what cameras say of key changes and live sessions makes records, on its
 * way to where it is kept. `onFault` hears of key changes that could not be logged; a session that could not is not
 * taken in.
 */
export function loggedStore(
  { bucket, beats }: { readonly bucket: WritableBucket; readonly beats: Beats },
  log: LogOfAccesses,
  onFault: (error: Fault) => void,
): { readonly bucket: WritableBucket; readonly beats: Beats } {
  return {
    bucket: bucketThatLogs(bucket, beats, log, Date.now),
    beats: loggedBeats(beats, log, Date.now, onFault),
  }
}
