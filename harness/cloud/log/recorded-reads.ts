import { type Fault, isFault } from "../../../firmware/errors.ts"
import type { Bucket } from "../bucket.ts"
import type { LogOfAccesses } from "./access-log.ts"
import { recordAccess } from "./record-access.ts"
import type { AccessRole } from "./records.ts"

export interface Reader {
  /** `key`: the id of theirs, where there is one. */
  readonly by: (device: string) => { readonly role: AccessRole; readonly key: string | null }
  readonly reason: string
  /** Told of a read that could not be recorded, which goes on; absent: it does not. */
  readonly onFault?: (error: Fault) => void
}

/**
 * A bucket whose objects are handed out when it stands in the log, or in its inbox, who reads them and why. An honest
 * cloud's own rule: whoever has the folder, or a copy of it, reads without.
 */
export function recordedReads<B extends Bucket>(bucket: B, log: LogOfAccesses | string, reader: Reader): B {
  const record = async (id: string): Promise<void> => {
    const found = bucket.object(id)
    if (found === null) return
    const { by, reason, onFault } = reader
    const { device } = found
    try {
      await recordAccess(log, { kind: "ciphertext read", device, by: by(device), reason, objects: [id] })
    } catch (error) {
      if (!isFault(error) || !onFault) throw error
      onFault(error)
    }
  }
  const reading: Pick<Bucket, "objectBytes" | "extract"> = {
    objectBytes: async (id) => {
      await record(id)
      return bucket.objectBytes(id)
    },
    extract: async (id, path) => {
      await record(id)
      await bucket.extract(id, path)
    },
  }
  // All else is the bucket's own; its methods want it as their `this`.
  return new Proxy(bucket, {
    get(target, name) {
      if (name === "objectBytes" || name === "extract") return reading[name]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === "function" ? value.bind(target) : value
    },
  })
}
