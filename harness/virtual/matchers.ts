import { isFault, messageOf } from "../../firmware/errors.ts"
import type { Identity } from "../owner/age-identity.ts"
import { OwnerKeys } from "../owner/keys.ts"
import { identityFromSeed, objectsOf, opens } from "./opening.ts"
import { VirtualCamera } from "./virtual-camera.ts"

interface Answer {
  readonly pass: boolean
  readonly message: () => string
}

/** `expect(camera).toHaveDelivered(3)`: its owner sees so many whole clips in the cloud. */
export function toHaveDelivered(received: unknown, clips: number): Answer {
  const camera = cameraOf(received, "toHaveDelivered")
  const found = camera.delivered.length
  return {
    pass: found === clips,
    message: () =>
      `expected ${clips} whole clips in the cloud, and there are ${found}; it logged:\n${tail(camera)}`,
  }
}

/**
 * `await expect(camera).toBeOpenableOnlyBy(owner)`: there is at least one clip, `owner` opens every object of each, and
 * neither a stranger nor the cloud, with every key it has, opens one.
 */
export async function toBeOpenableOnlyBy(received: unknown, owner: OwnerKeys): Promise<Answer> {
  const camera = cameraOf(received, "toBeOpenableOnlyBy")
  const strangers = [await OwnerKeys.create(), camera.owner].filter((keys) => keys !== owner)
  const others = [
    ...strangers.map(({ identity }) => identity),
    ...camera.cloud.seeds.map((seed) => identityFromSeed(seed)),
  ]
  const wrong = await whatIsWrong(camera, owner, others)
  return {
    pass: wrong === null,
    message: () => wrong ?? "expected clips that somebody else can open, and nobody can",
  }
}

async function whatIsWrong(
  camera: VirtualCamera,
  owner: OwnerKeys,
  others: readonly Identity[],
): Promise<string | null> {
  if (camera.delivered.length === 0) return "expected clips to open, and none is delivered yet"
  for (const clip of camera.delivered) {
    try {
      await camera.open(clip, owner)
    } catch (error) {
      if (!isFault(error)) throw error
      return `expected the owner to open clip ${clip.clip}: ${messageOf(error)}`
    }
    for (const { entry } of objectsOf(clip)) {
      const object = await camera.household.objectBytes(entry.id)
      if (object === null) return `expected ${entry.kind} ${entry.index} of clip ${clip.clip} in the cloud`
      if (!(await opens(object, owner.identity)))
        return `expected the owner to open ${entry.kind} ${entry.index}`
      for (const other of others)
        if (await opens(object, other)) return `expected nobody else to open ${entry.kind} ${entry.index}`
    }
  }
  return null
}

function cameraOf(received: unknown, matcher: string): VirtualCamera {
  if (received instanceof VirtualCamera) return received
  throw new TypeError(`${matcher}: expect() takes what virtualCamera() returned`)
}

function tail({ lines }: VirtualCamera): string {
  return lines
    .slice(-12)
    .map((line) => `  ${JSON.stringify(line)}`)
    .join("\n")
}
