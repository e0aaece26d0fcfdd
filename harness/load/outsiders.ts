import { createHash, randomBytes } from "node:crypto"
import { readFile } from "node:fs/promises"
import { bech32 } from "@scure/base"
import type { Random } from "../../firmware/ports.ts"
import { seededRandom } from "../../simulator/random.ts"
import { type Identity, identityFromText } from "../owner/age-identity.ts"
import { openAge } from "../owner/open-age.ts"
import { isRefusalToOpen } from "../owner/vault.ts"
import type { Owner } from "./pairing.ts"

/** How many other owners try each clip. */
const OTHERS_MAX = 50

/** Everyone who must not be able to open a clip: all other owners, a household without a camera, and the cloud with every key it has. */
export class Outsiders {
  tries = 0
  readonly #owners: readonly Owner[]
  readonly #server: readonly Identity[]
  readonly #random: Random
  /** Tries even where a single camera has a single owner. */
  readonly #stranger = identityOf(randomBytes(32))

  constructor(owners: readonly Owner[], server: readonly Identity[], seed: number) {
    this.#owners = owners
    this.#server = server
    this.#random = seededRandom(seed, "outsiders")
  }

  /**
   * Lets them try the objects of one clip of camera `index`'s owner: every server key, the stranger, and all other
   * owners or a seeded sample of 50. Each of them tries at least one object, in rotation, so that each object is tried by at least one of
   * either kind. Resolves with how many tries opened something.
   */
  async open(objects: readonly Uint8Array[], index: number): Promise<number> {
    const chosen = [this.#stranger, ...this.#others(index)]
    return (await this.#rotate(chosen, objects)) + (await this.#rotate(this.#server, objects))
  }

  #others(index: number): readonly Identity[] {
    const owners = this.#owners
    if (owners.length - 1 <= OTHERS_MAX)
      return owners.filter((owner) => owner.index !== index).map(({ keys }) => keys.identity)
    const chosen = new Map<number, Identity>()
    while (chosen.size < OTHERS_MAX) {
      const owner = owners[Math.floor(this.#random.next() * owners.length)]
      if (owner && owner.index !== index) chosen.set(owner.index, owner.keys.identity)
    }
    return [...chosen.values()]
  }

  async #rotate(identities: readonly Identity[], objects: readonly Uint8Array[]): Promise<number> {
    if (identities.length === 0 || objects.length === 0) return 0
    let opened = 0
    for (let turn = 0; turn < Math.max(identities.length, objects.length); turn++) {
      const identity = identities[turn % identities.length]
      const object = objects[turn % objects.length]
      if (identity && object && (await this.#try(object, identity))) opened++
    }
    return opened
  }

  async #try(object: Uint8Array, identity: Identity): Promise<boolean> {
    this.tries++
    try {
      await openAge(object, identity)
      return true
    } catch (error) {
      if (!isRefusalToOpen(error)) throw error
      return false
    }
  }
}

/**
 * The secrets in the cloud's key file as age identities: each seed as it is, and as the X25519 secret that belongs to
 * the Ed25519 key it makes (RFC 8032 §5.1.5: the first half of its SHA-512).
 */
export async function serverIdentities(keyFile: string): Promise<readonly Identity[]> {
  const content: unknown = JSON.parse(await readFile(keyFile, "utf8"))
  const seeds = Object.values(content ?? {}).flatMap((value) =>
    typeof value === "string" && /^[0-9a-f]{64}$/.test(value) ? [Buffer.from(value, "hex")] : [],
  )
  return seeds.flatMap((seed) => {
    const converted = createHash("sha512").update(seed).digest().subarray(0, 32)
    return [identityOf(seed), identityOf(converted)]
  })
}

function identityOf(secret: Uint8Array): Identity {
  return identityFromText(bech32.encode("age-secret-key-", bech32.toWords(secret), false).toUpperCase())
}
