import { randomBytes, X509Certificate } from "node:crypto"
import { access, link, readFile, rm, stat, writeFile } from "node:fs/promises"
import { dirname } from "node:path"
import { z } from "zod"
import { fromJson, toJson } from "../../firmware/control/json.ts"
import { type SigningKey, sha256Hex, signingKeyOf } from "../../firmware/control/keys.ts"
import { sha256 } from "../../firmware/control/protocol.ts"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import { syncDirectory } from "./bucket-volume.ts"

/**
 * The cloud's own keys. None of them opens anything sealed: one signs receipts, one signs the access log's
 * checkpoints. Key file, mode 0600: {"format":1,"receipt":64 hex digits,"log":64 hex digits}, both Ed25519 seeds.
 */
export interface CloudKeys {
  readonly receipt: SigningKey
  readonly log: SigningKey
}

/** What a cloud calls itself that nobody gave a name. */
export const CLOUD_NAME = "obscura.local"

/** What owner and camera pin at pairing. Keys in hex; `brokerKey` is the SHA-256 of the broker's SPKI, null on plain TCP. */
export const cloudIdentityShape = z.strictObject({
  name: z.string().min(1).max(120),
  receiptKey: sha256,
  logKey: sha256,
  brokerKey: sha256.nullable(),
})
export type CloudIdentity = z.infer<typeof cloudIdentityShape>

const fileShape = z.strictObject({
  format: z.literal(1),
  receipt: z.string().regex(/^[0-9a-f]{64}$/),
  log: z.string().regex(/^[0-9a-f]{64}$/),
})

/**
 * The keys in the file at `path`; made at the first start.
 * @throws Fault "usage", definite: not a key file, readable by others, or not to be made there.
 */
export async function openCloudKeys(path: string): Promise<CloudKeys> {
  try {
    const seed = (): string => randomBytes(32).toString("hex")
    await createOnce(path, toJson({ format: 1, receipt: seed(), log: seed() }))
    const { mode } = await stat(path)
    if ((mode & 0o077) !== 0)
      throw new Fault("usage", `${path}: others can read these keys; run chmod 600 on it, or make new ones`)
    const { receipt, log } = fromJson(await readFile(path), fileShape, "key file", 1_000)
    return { receipt: signingKeyOf(Buffer.from(receipt, "hex")), log: signingKeyOf(Buffer.from(log, "hex")) }
  } catch (cause) {
    if (isFault(cause, "usage")) throw cause
    throw new Fault("usage", `${path}: no usable key file (${messageOf(cause)})`, { cause })
  }
}

/** `certificate` is the broker's, in PEM; null on plain TCP. */
export function identityOf(name: string, keys: CloudKeys, certificate: string | null): CloudIdentity {
  return {
    name,
    receiptKey: keys.receipt.hex,
    logKey: keys.log.hex,
    brokerKey: certificate === null ? null : spkiHash(certificate),
  }
}

function spkiHash(certificate: string): string {
  const spki = new X509Certificate(certificate).publicKey.export({ format: "der", type: "spki" })
  return sha256Hex(spki)
}

/**
 * A secret file, 0600 and synced; one that is there already stays, and then nothing is written: a full disk is no reason to
 * be without keys. Whole before it has the name: after a power cut an empty file would stand for keys for good.
 */
export async function createOnce(path: string, content: string | Uint8Array): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  )
  if (isThere) return
  const draft = `${path}.${randomBytes(6).toString("hex")}.new`
  try {
    await writeFile(draft, content, { mode: 0o600, flag: "wx", flush: true })
    await link(draft, path)
    await syncDirectory(dirname(path))
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error
  } finally {
    await rm(draft, { force: true })
  }
}
