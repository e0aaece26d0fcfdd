import { isObjectEntry, manifestShape, type ObjectEntry } from "../../firmware/control/protocol.ts"
import type { ObjectSource } from "../owner/vault.ts"

/** Clips of `device` of which a part is listed under two ids or sequences. */
export async function doubledClips(source: ObjectSource, device: string): Promise<ReadonlySet<string>> {
  const parts = new Set<string>()
  const doubled = new Set<string>()
  for (const envelope of await source.manifests(device))
    for (const { clip, kind, index } of unverifiedObjects(envelope)) {
      const part = `${clip} ${kind} ${index}`
      if (parts.has(part)) doubled.add(clip)
      parts.add(part)
    }
  return doubled
}

/** The vault verifies each of them, and tells of those that do not hold; to verify twice would take a second. */
function unverifiedObjects(envelope: Uint8Array): readonly ObjectEntry[] {
  try {
    const { payload } = JSON.parse(Buffer.from(envelope).toString("utf8"))
    const body = manifestShape.parse(JSON.parse(Buffer.from(String(payload), "base64").toString("utf8")))
    return body.entries.filter(isObjectEntry)
  } catch {
    return []
  }
}
