import { unverified } from "../../firmware/control/dsse.ts"
import { isObjectEntry, manifestShape, type ObjectEntry } from "../../firmware/control/protocol.ts"
import { seededRandom } from "../../simulator/random.ts"
import type { Identity } from "../owner/age-identity.ts"
import { openAge } from "../owner/open-age.ts"
import { isRefusalToOpen } from "../owner/vault.ts"
import type { World } from "./world.ts"

/** An object as whoever has the bucket finds it. */
export interface FoundObject {
  readonly device: string
  readonly entry: ObjectEntry
  readonly bytes: Uint8Array
}

/** Every tenth of a thousand is as good as all of them, and no run waits long for it. */
export const OBJECTS_MAX = 300

/** Objects of all mailboxes, the homes' first, at most `max` by chance of the seed. What a manifest lists and is gone is left out. */
export async function* objectsIn(
  { seed, holdings, homes }: World,
  wanted: (entry: ObjectEntry) => boolean = () => true,
  max = OBJECTS_MAX,
): AsyncGenerator<FoundObject, void, undefined> {
  const bucket = await holdings.readBucket()
  const own = homes.map(({ camera }) => camera.id)
  const random = seededRandom(seed, "insiders")
  const rest = bucket.devices().filter((device) => !own.includes(device))
  const shuffled = rest.map((device) => ({ device, at: random.next() })).sort((a, b) => a.at - b.at)
  let count = 0
  for (const device of [...own, ...shuffled.map((each) => each.device)])
    for (const manifest of bucket.manifests(device)) {
      const body = unverified(await bucket.envelopeBytes(manifest), manifestShape)
      for (const entry of body?.entries.filter(isObjectEntry) ?? []) {
        if (!wanted(entry)) continue
        const bytes = await bucket.objectBytes(entry.id)
        if (bytes === null) continue
        yield { device, entry, bytes }
        if (++count >= max) return
      }
    }
}

/** Does `identity` open this? */
export async function opens(bytes: Uint8Array, identity: Identity): Promise<boolean> {
  try {
    await openAge(bytes, identity)
    return true
  } catch (error) {
    if (!isRefusalToOpen(error)) throw error
    return false
  }
}

const AGE_HEADER = Buffer.from("age-encryption.org/v1\n-> ")
/**
 * What a film or a picture has in it when it is plain, wherever one looks: heads of boxes (ISO/IEC 14496-12, 14496-15) with
 * the bytes that always follow, and JFIF's. Long ones, for ciphertext shows any four bytes once in four gigabytes.
 */
export const PLAIN_MARKS = ["ftypiso", "moof\0\0\0\x10mfhd", "avc1\0\0\0\0\0\0\0\x01", "\xff\xe0\0\x10JFIF\0"]
const MARKS = PLAIN_MARKS.map((mark) => Buffer.from(mark, "latin1"))

/** What shows of it without any key; null: nothing but that it is an age file. */
export function plainIn(bytes: Uint8Array): string | null {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (!file.subarray(0, AGE_HEADER.length).equals(AGE_HEADER)) return "is no age file"
  const mark = MARKS.find((each) => file.includes(each))
  return mark ? `shows ${JSON.stringify(mark.toString("latin1"))}` : null
}
