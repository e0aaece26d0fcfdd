import { open, readFile, rename } from "node:fs/promises"
import { join } from "node:path"
import { unverified } from "../../firmware/control/dsse.ts"
import { type PublicKey, publicKeyFromHex } from "../../firmware/control/keys.ts"
import { type Heartbeat, heartbeatShape } from "../../firmware/control/protocol.ts"
import { type Bytes, MiB, type Milliseconds, minutes } from "../../firmware/units.ts"
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
  /** false: there is no room for another camera, and none of those here is idle. */
  set(body: Heartbeat, envelope: Uint8Array): boolean
  owns(owner: string, device: string): boolean
  devices(): readonly string[]
  /** Learnt from the heartbeat, which names it; its hash is `device`. */
  keyOf(device: string): PublicKey | null
  /** But for those of `without`, which the file does not name then. Rejects with a Fault as the bucket does. */
  flush(without?: { has(device: string): boolean }): Promise<void>
}

const FILE = "heartbeats"

/** A key costs nothing, so whoever may connect can be any number of cameras. */
export interface BeatLimits {
  readonly devicesMax: number
  /** Of envelopes, in memory and in the file. */
  readonly bytesMax: Bytes
  /** Without a heartbeat for as long, a camera may be forgotten for another's sake; the oldest goes first. */
  readonly idleAfter: Milliseconds
}

const LIMITS: BeatLimits = { devicesMax: 50_000, bytesMax: 64 * MiB, idleAfter: minutes(10) }

interface Kept {
  readonly body: Heartbeat
  readonly envelope: Uint8Array
  /** On the process's monotonic clock. */
  readonly at: Milliseconds
}

/** Without a directory they are in memory alone. */
export async function openBeats(directory: string | null, limits: BeatLimits = LIMITS): Promise<Beats> {
  /** The one that was heard of longest ago first. */
  const beats = new Map<string, Kept>()
  let bytes: Bytes = 0
  const forget = (device: string): void => {
    bytes -= beats.get(device)?.envelope.length ?? 0
    beats.delete(device)
  }
  const set = (body: Heartbeat, envelope: Uint8Array): boolean => {
    const known = beats.get(body.device)
    const at = performance.now()
    const more = envelope.length - (known?.envelope.length ?? 0)
    const fits = () =>
      beats.size + (known ? 0 : 1) <= limits.devicesMax && (more <= 0 || bytes + more <= limits.bytesMax)
    while (!fits()) {
      const [oldest] = beats.values()
      if (!oldest || oldest === known || at - oldest.at < limits.idleAfter) return false
      forget(oldest.body.device)
    }
    forget(body.device)
    beats.set(body.device, { body, envelope: Buffer.from(envelope), at })
    bytes += envelope.length
    return true
  }
  for (const line of directory === null ? [] : await linesOf(join(directory, FILE))) {
    // Verified when it was written. A line that is none costs nothing but itself.
    const body = unverified(Buffer.from(line), heartbeatShape)
    if (body !== null) set(body, Buffer.from(line))
  }
  let dirty = false
  return {
    latest: (device) => beats.get(device)?.body ?? null,
    envelope: (device) => beats.get(device)?.envelope ?? null,
    set(body, envelope) {
      const kept = set(body, envelope)
      dirty ||= kept
      return kept
    },
    owns: (owner, device) => beats.get(device)?.body.owner === owner,
    devices: () => [...beats.keys()],
    keyOf(device) {
      const body = beats.get(device)?.body
      return body ? publicKeyFromHex(body.key) : null
    },
    async flush(without) {
      if (!dirty || directory === null) return
      dirty = false
      const written = [...beats.values()].filter(({ body }) => !without?.has(body.device))
      try {
        await replace(directory, written.map(({ envelope }) => `${envelope}\n`).join(""))
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
