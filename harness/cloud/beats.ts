import { open, readFile, rename } from "node:fs/promises"
import { join } from "node:path"
import { type PublicKey, publicKeyFromHex } from "../../firmware/control/keys.ts"
import { type Heartbeat, heartbeatShape } from "../../firmware/control/protocol.ts"
import { diskFault } from "./bucket-disk.ts"
import { syncDirectory } from "./bucket-volume.ts"

/**
 * The latest verified heartbeat of each camera: who owns it, and where its chain stood. One file in the bucket's
 * folder, an envelope a line, replaced as a whole: an append for each of ten thousand cameras every 30 s would be more
 * than their clips. A crash loses at most the last minute's, which the next heartbeat of each camera brings again.
 */
export interface Beats {
  latest(device: string): Heartbeat | null
  /** The exact bytes that the camera signed and enveloped. */
  envelope(device: string): Uint8Array | null
  set(body: Heartbeat, envelope: Uint8Array): void
  owns(owner: string, device: string): boolean
  /** Learnt from the heartbeat, which names it; its hash is `device`. */
  keyOf(device: string): PublicKey | null
  /** Rejects with a Fault as the bucket does. */
  flush(): Promise<void>
}

const FILE = "heartbeats"

export async function openBeats(directory: string): Promise<Beats> {
  const beats = new Map<string, { readonly body: Heartbeat; readonly envelope: Uint8Array }>()
  for (const line of await linesOf(join(directory, FILE))) {
    const body = unverifiedBeat(line)
    if (body !== null) beats.set(body.device, { body, envelope: Buffer.from(line) })
  }
  let dirty = false
  return {
    latest: (device) => beats.get(device)?.body ?? null,
    envelope: (device) => beats.get(device)?.envelope ?? null,
    set(body, envelope) {
      beats.set(body.device, { body, envelope: Buffer.from(envelope) })
      dirty = true
    },
    owns: (owner, device) => beats.get(device)?.body.owner === owner,
    keyOf(device) {
      const body = beats.get(device)?.body
      return body ? publicKeyFromHex(body.key) : null
    },
    async flush() {
      if (!dirty) return
      dirty = false
      try {
        await replace(directory, [...beats.values()].map(({ envelope }) => `${envelope}\n`).join(""))
      } catch (error) {
        dirty = true
        throw diskFault(error, directory)
      }
    },
  }
}

async function linesOf(path: string): Promise<readonly string[]> {
  try {
    return (await readFile(path, "utf8")).split("\n").filter((line) => line !== "")
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return []
    throw diskFault(error, path)
  }
}

/** Verified when it was written. null: a line that is none, which costs nothing but itself. */
function unverifiedBeat(line: string): Heartbeat | null {
  try {
    const payload = Buffer.from(String(JSON.parse(line).payload), "base64").toString("utf8")
    return heartbeatShape.safeParse(JSON.parse(payload)).data ?? null
  } catch {
    return null
  }
}

async function replace(directory: string, text: string): Promise<void> {
  const path = join(directory, FILE)
  const file = await open(`${path}.new`, "w", 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
  await syncDirectory(directory)
}
