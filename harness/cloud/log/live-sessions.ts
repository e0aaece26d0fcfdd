import type { Entry, LiveEntry } from "../../../firmware/control/protocol.ts"
import { Fault, isFault } from "../../../firmware/errors.ts"
import type { Beats } from "../beats.ts"
import type { BucketRecord, WritableBucket } from "../bucket.ts"
import type { LogOfAccesses } from "./access-log.ts"
import { OnceEach } from "./once.ts"

/** What a camera hears whose manifest cannot be taken in because a live session in it cannot be recorded. */
export const NOT_LOGGED = "not logged"

/**
 * A bucket that takes no manifest in before the live sessions it tells of are in the access log and under a checkpoint:
 * the camera gets no receipt until then, and sends again. So whoever finds a session in the camera's chain finds its
 * record, whatever crashed between. A manifest that comes again makes no second record.
 *
 * Its `store` rejects as the bucket's, and with Fault "refused" NOT_LOGGED: what a camera is refused it sends last of all,
 * so its clips go on getting their receipts meanwhile.
 */
export function bucketThatLogs(
  bucket: WritableBucket,
  beats: Pick<Beats, "latest">,
  log: LogOfAccesses,
  now: () => number,
): WritableBucket {
  const once = new OnceEach(log)
  const store = async (record: BucketRecord): Promise<void> => {
    const begun = record.manifest?.body.entries.filter(isLive) ?? []
    if (begun.length > 0)
      try {
        await logAll(record.device, begun)
      } catch (cause) {
        if (!isFault(cause)) throw cause
        throw new Fault("refused", NOT_LOGGED, { cause })
      }
    await bucket.store(record)
  }
  const logAll = async (device: string, begun: readonly LiveEntry[]): Promise<void> => {
    for (const { session, grant, viewer } of begun) {
      const isOwner = beats.latest(device)?.owner === viewer
      // The same manifest may come again while this one waits.
      await once.append({
        ...{ kind: "live session", device, at: now(), session, grant },
        by: { role: isOwner ? "owner" : "viewer", key: viewer },
        reason: isOwner ? "the owner looks" : "the owner let them look, by a grant that says why",
      })
    }
    await log.publish()
  }
  // All else is the bucket's own; its methods want it as their `this`.
  return new Proxy(bucket, {
    get(target, name) {
      if (name === "store") return store
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === "function" ? value.bind(target) : value
    },
  })
}

const isLive = (entry: Entry): entry is LiveEntry => entry.kind === "live"
