import { createHash, randomBytes } from "node:crypto"
import { Encrypter } from "age-encryption"
import type { ObjectFacts } from "../../firmware/clip.ts"
import { openIdentity } from "../../firmware/control/identity.ts"
import { sha256Hex } from "../../firmware/control/keys.ts"
import { sealAgeStream } from "../../firmware/delivery/age.ts"
import { Chain } from "../../firmware/delivery/manifest.ts"
import { parseRecipient } from "../../firmware/delivery/recipient.ts"
import { type Bytes, KiB, type Seconds } from "../../firmware/units.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { MemoryDisk } from "../../simulator/disk.ts"
import { seededRandom } from "../../simulator/random.ts"
import { OwnerKeys } from "../owner/keys.ts"

const PIECE_BYTES: Bytes = 64 * KiB

/** What a manifest says of an object, but for what sealing finds out. */
const FACTS: ObjectFacts = {
  ...{ id: "0".repeat(32), kind: "segment", clip: "0".repeat(32), index: 0, last: true },
  ...{ headerBytes: 1, payloadBytes: 0, headerHash: "", payloadHash: "", commit: "0".repeat(64) },
}

/** One thread that seals, for a household made for it. Each question answers with the seconds it took. */
export async function begin() {
  const keys = await OwnerKeys.create()
  const recipient = parseRecipient(keys.householdRecipient)
  const disk = new MemoryDisk({ clock: virtualClock(), random: seededRandom(1, "disk") })
  const identity = await openIdentity(disk)
  const recipients = { epoch: 1, hash: "0".repeat(64), recipient }
  const chain = new Chain(identity)

  return {
    /** A stream of `bytes` in pieces of 64 KiB, sealed and thrown away. */
    async stream({ bytes }: { readonly bytes: Bytes }): Promise<Seconds> {
      const plain = randomBytes(PIECE_BYTES)
      const sealAll = async () => {
        let sealed = 0
        for await (const part of sealAgeStream(repeated(plain, bytes), recipient)) sealed += part.length
        return sealed
      }
      await sealAll()
      return secondsOf(sealAll)
    },

    /** The same with SHA-256 of header and payload as it goes, and then the signed link of the chain that lists it. */
    async sign({ bytes }: { readonly bytes: Bytes }): Promise<Seconds> {
      const plain = randomBytes(PIECE_BYTES)
      const sealAndSign = async () => {
        let headerHash: string | null = null
        let payloadBytes: Bytes = 0
        const payload = createHash("sha256")
        for await (const part of sealAgeStream(repeated(plain, bytes), recipient)) {
          if (headerHash === null) headerHash = sha256Hex(part)
          else {
            payload.update(part)
            payloadBytes += part.length
          }
        }
        const hashes = { headerHash: headerHash ?? "", payloadHash: payload.digest("hex"), payloadBytes }
        return chain.propose([{ ...FACTS, ...hashes }], recipients)
      }
      await sealAndSign()
      return secondsOf(sealAndSign)
    },

    /** A whole file in memory, sealed by us or by typage, whose encryption does not hash it either. */
    async file({ bytes, by }: { readonly bytes: Bytes; readonly by: "ours" | "typage" }): Promise<Seconds> {
      const plain = randomBytes(bytes)
      const encrypter = new Encrypter()
      encrypter.addRecipient(keys.householdRecipient)
      const sealFile = () =>
        by === "ours" ? collected(sealAgeStream([plain], recipient)) : encrypter.encrypt(plain)
      await sealFile()
      return secondsOf(sealFile)
    },

    /** By how much this process grew, at most, over what it weighed after a warm-up of `warmUp`. */
    async growth({ bytes, warmUp }: { readonly bytes: Bytes; readonly warmUp: Bytes }): Promise<Bytes> {
      const piece = randomBytes(PIECE_BYTES)
      let peak = 0
      const sealAll = async (all: Bytes) => {
        let parts = 0
        for await (const _part of sealAgeStream(repeated(piece, all), recipient))
          if (parts++ % 64 === 0) peak = Math.max(peak, process.memoryUsage.rss())
      }
      await sealAll(warmUp)
      globalThis.gc?.()
      const before = process.memoryUsage.rss()
      peak = before
      await sealAll(bytes)
      return peak - before
    },
  }
}

async function secondsOf(task: () => unknown): Promise<Seconds> {
  const begun = performance.now()
  await task()
  return (performance.now() - begun) / 1_000
}

async function collected(parts: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  const all: Uint8Array[] = []
  for await (const part of parts) all.push(part)
  return all
}

function* repeated(piece: Uint8Array, all: Bytes): Generator<Uint8Array> {
  for (let left = all; left > 0; left -= piece.length) yield piece.subarray(0, left)
}
