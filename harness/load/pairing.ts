import { setMaxListeners } from "node:events"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { parseConfig } from "../../firmware/config.ts"
import type { PublicKey } from "../../firmware/control/keys.ts"
import { newSetupCode, setupText } from "../../firmware/control/pairing.ts"
import type { Dialler } from "../../firmware/ports.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import { processClock } from "../../hardware/clock.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import { makeFolder } from "../../hardware/make-folder.ts"
import { platformRandom } from "../../hardware/random.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import { OwnerKeys } from "../owner/keys.ts"
import { pairAsOwner } from "../owner/pairing.ts"

/** One camera's owner: a household of its own, whose keys never leave the parent process. */
export interface Owner {
  /** Of the camera in the fleet. */
  readonly index: number
  readonly keys: OwnerKeys
  /** Learnt at pairing. */
  readonly camera: PublicKey
  /** What the camera was shown, and is spent: for whoever looks whether it lies about anywhere. */
  readonly setup?: string
}

export interface PairingParts {
  readonly cloud: CloudIdentity
  readonly broker: string
  /** How owners come to a broker that wants more than an address. */
  readonly dialler?: Dialler
  /** Presses the button of camera `index` and shows it the text. */
  readonly show: (index: number, setupText: string) => void
  readonly onPaired: () => void
  readonly signal: AbortSignal
}

const AT_ONCE = 32
/** For one camera; in a machine that keeps up it takes a tenth of a second. */
const PAIR_WITHIN: Milliseconds = seconds(30)

/** Pairs cameras `from` up to `to` over the broker, as their owners; those that did not make it are missing. */
export async function pairAll(from: number, to: number, parts: PairingParts): Promise<readonly Owner[]> {
  setMaxListeners(0, parts.signal) // every pairing listens
  const owners: Owner[] = []
  let next = from
  const pairNext = async () => {
    while (next < to && !parts.signal.aborted) {
      const owner = await pairOne(next++, parts)
      if (owner) owners.push(owner)
      parts.onPaired()
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, to - from) }, pairNext))
  return owners.sort((a, b) => a.index - b.index)
}

/**
 * Writes each owner's key apart: `<directory>/<index>/identity.txt`, as stock `age -d -i` takes it, for nobody else to
 * read.
 */
export async function writeOwners(directory: string, owners: readonly Owner[]): Promise<void> {
  await makeFolder(directory)
  for (const { index, keys, camera } of owners) {
    const folder = join(directory, String(index))
    await mkdir(folder, { mode: 0o700 })
    const text = `# owner of camera ${index}, device ${camera.id}\n${keys.householdSecret}\n`
    await writeFile(join(folder, "identity.txt"), text, { mode: 0o600 })
  }
}

async function pairOne(
  index: number,
  { cloud, broker, dialler = networkDialler(broker), show, signal }: PairingParts,
): Promise<Owner | null> {
  const keys = await OwnerKeys.create()
  const code = newSetupCode({ name: cloud.name, pin: cloud.brokerKey })
  const text = setupText(code)
  // The owner waits at the rendezvous before the camera says hello there: it says it again only after two seconds.
  const log = {
    write: ({ event }: { readonly event: string }) => {
      if (event === "connected") show(index, text)
    },
  }
  const parts = { clock: processClock(), random: platformRandom, dialler, log }
  const within = new AbortController()
  const giveUp = () => within.abort()
  const timer = setTimeout(giveUp, PAIR_WITHIN)
  signal.addEventListener("abort", giveUp, { once: true })
  try {
    const camera = await pairAsOwner(code, keys, cloud, parts, parseConfig().link, within.signal)
    return camera && { index, keys, camera, setup: text }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener("abort", giveUp)
  }
}
