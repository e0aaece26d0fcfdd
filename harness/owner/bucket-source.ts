import type { Bucket } from "../cloud/bucket.ts"
import type { ObjectSource } from "./vault.ts"

/**
 * A bucket on disk as a vault sees it. A manifest becomes durable together with its objects and before its receipt is
 * sent, so whatever manifest lies here was, or may have been, receipted.
 */
export function bucketSource(bucket: Bucket): ObjectSource {
  return {
    manifests: (device) =>
      Promise.all(bucket.manifests(device).map((manifest) => bucket.envelopeBytes(manifest))),
    has: async (id) => bucket.object(id) !== null,
    object: (id) => bucket.objectBytes(id),
    departure: async (device, listed) => bucket.departureOf(device, listed),
    receipted: async (device) => new Set(bucket.manifests(device).map(({ hash }) => hash)),
  }
}
