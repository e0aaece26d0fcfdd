import { createCipheriv, randomBytes } from "node:crypto"
import { openIdentity } from "../../firmware/control/identity.ts"
import type { RecipientsNow } from "../../firmware/control/ownership.ts"
import { CIPHER, TAG_BYTES } from "../../firmware/delivery/age-payload.ts"
import { Chain } from "../../firmware/delivery/manifest.ts"
import { parseRecipient } from "../../firmware/delivery/recipient.ts"
import { type PlainObject, sealFor } from "../../firmware/delivery/sealer.ts"
import { type Bytes, KiB, MiB, type Seconds } from "../../firmware/units.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { MemoryDisk } from "../../simulator/disk.ts"
import { seededRandom } from "../../simulator/random.ts"
import { OwnerKeys } from "../owner/keys.ts"
import { plainSealFor } from "../unsafe/plain-sealer.ts"

/** Processor time for one object, garbage collection included. */
export interface Alone {
  /** Cipher and age header: what the sealer takes over what hashing the plaintext alone would. */
  readonly sealing: Seconds
  /** Signature of a manifest that lists one object, with its JSON. */
  readonly signing: Seconds
  /** ChaCha20-Poly1305 over chunks of 64 KiB, as fast as node lets it run: bytes a second. */
  readonly cipherBytesPerSecond: number
}

const PLAIN_BYTES: Bytes = 32 * MiB
const CIPHER_BYTES: Bytes = 64 * KiB

/** Sealing on its own: no lens, no network, no disk. What a fleet's sealing costs can be held against it. */
export async function begin() {
  const keys = await OwnerKeys.create()
  const recipient = parseRecipient(keys.householdRecipient)
  const now: RecipientsNow = { epoch: 1, hash: "0".repeat(64), recipient }
  const disk = new MemoryDisk({ clock: virtualClock(), random: seededRandom(1, "disk") })
  const chain = new Chain(await openIdentity(disk))
  const seal = sealFor(() => now)
  const hashAlone = plainSealFor(() => now)
  return {
    async cost({ objectBytes, length }: { readonly objectBytes: Bytes; readonly length: Seconds }) {
      // More than the processor's cache holds: a segment that has just been muxed is not in it either.
      const plains = Array.from({ length: Math.ceil(PLAIN_BYTES / objectBytes) }, () =>
        objectOf(randomBytes(objectBytes)),
      )
      const object = await seal(objectOf(randomBytes(64)))
      const sealed = await costOfEach(plains, length, seal)
      const hashed = await costOfEach(plains, length, hashAlone)
      const signing = await costOfEach(plains, length / 4, async () => chain.propose([object.facts], now))
      const alone: Alone = {
        sealing: Math.max(0, sealed - hashed),
        signing,
        cipherBytesPerSecond: await cipherSpeed(length / 4),
      }
      return alone
    },
  }
}

function objectOf(bytes: Uint8Array): PlainObject {
  return { kind: "segment", clip: "0".repeat(32), index: 0, last: false, bytes }
}

async function costOfEach(
  plains: readonly PlainObject[],
  length: Seconds,
  task: (plain: PlainObject) => Promise<unknown>,
): Promise<Seconds> {
  for (const plain of plains) await task(plain)
  const begun = performance.now()
  const from = process.cpuUsage()
  let count = 0
  while (performance.now() - begun < length * 1_000)
    for (const plain of plains) {
      await task(plain)
      count++
    }
  const { user, system } = process.cpuUsage(from)
  return (user + system) / 1e6 / count
}

async function cipherSpeed(length: Seconds): Promise<number> {
  const [block, key, nonce] = [randomBytes(CIPHER_BYTES), randomBytes(32), randomBytes(12)]
  const perBlock = await costOfEach([objectOf(block)], length, async ({ bytes }) => {
    const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
    cipher.update(bytes)
    cipher.final()
  })
  return CIPHER_BYTES / perBlock
}
