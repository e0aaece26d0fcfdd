import { createHmac, randomBytes } from "node:crypto"
import { z } from "zod"
import type { Disk } from "../ports.ts"
import { fromJson, toJson } from "./json.ts"
import { type SigningKey, signingKeyOf } from "./keys.ts"

/**
 * Who this camera is: an Ed25519 key that it made itself and that never leaves its private area. The hash of the public
 * key is the device id and the mailbox; there is no other name for a camera anywhere.
 */
export interface Identity {
  /** 40 hex digits. */
  readonly device: string
  readonly key: SigningKey
  /** Random per boot, 32 hex digits. What an owner grants is bound to it, so a reboot ends it. */
  readonly boot: string
  /** Hex, secret, of the same seed as the key: by it the camera knows again what it wrote to its own disk. */
  readonly markKey: string
}

const NAME = "identity"
const shape = z.strictObject({ version: z.literal(1), seed: z.string().regex(/^[0-9a-f]{64}$/) })

/** Reads the key, or makes one at the first boot. @throws Fault "malformed", definite: a damaged identity file. */
export async function openIdentity(disk: Disk): Promise<Identity> {
  const stored = await disk.private.get(NAME)
  const seed = stored ? Buffer.from(fromJson(stored, shape, "identity", 200).seed, "hex") : randomBytes(32)
  if (!stored) await disk.private.put(NAME, [toJson({ version: 1, seed: seed.toString("hex") })])
  const key = signingKeyOf(seed)
  const markKey = createHmac("sha256", seed).update("obscura mark 1").digest("hex")
  return { device: key.id, key, boot: randomBytes(16).toString("hex"), markKey }
}

/**
 * Reset is physical, for whoever holds the camera: new key, no owner, empty spool. What was not uploaded is gone; what
 * was stays sealed for the old owner.
 *
 * The key goes first: a camera that kept its key but not its spool would begin its chain anew under the old name. After
 * a power cut in between, what is left fits no camera and is refused, until it is reset again.
 */
export async function resetCamera(disk: Disk): Promise<void> {
  await disk.private.remove(NAME)
  for (const area of [disk.private, disk]) for (const { name } of await area.list("")) await area.remove(name)
}
