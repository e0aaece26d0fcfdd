import type { PublicKey, SigningKey } from "../../firmware/control/keys.ts"
import { isFault } from "../../firmware/errors.ts"
import { processClock } from "../../hardware/clock.ts"
import { platformRandom } from "../../hardware/random.ts"
import { Lending } from "../owner/lending.ts"
import { LiveWatch } from "../owner/live-watch.ts"
import type { Home } from "./home.ts"
import type { World } from "./world.ts"

/** What an owner, or a viewer, needs to reach one camera through the real broker. */
function partsOf({ cloud, dialler, homes }: World, camera: PublicKey) {
  const config = homes[0]?.config.link
  if (!config) throw new Error("a world without homes")
  return {
    camera,
    broker: { name: cloud.name, pin: cloud.brokerKey },
    link: { clock: processClock(), random: platformRandom, dialler, log: { write: () => undefined } },
    config,
  }
}

/** The home's owner, who lends for as long as `work` takes. */
export async function asOwner<T>(
  world: World,
  home: Home,
  work: (lending: Lending) => Promise<T>,
): Promise<T> {
  const lending = new Lending({ ...partsOf(world, home.camera), owner: home.owner })
  const done = new AbortController()
  const running = lending.run(done.signal)
  try {
    return await work(lending)
  } finally {
    done.abort()
    await running
  }
}

export interface Look {
  readonly pictures: number
  /** What the camera, or nobody, answered; null: it showed pictures until the end. */
  readonly refused: string | null
}

/**
 * `viewer` looks at `camera` with `grant`, until `signal` aborts or it is refused; `onPicture` is told of each picture that
 * opened.
 */
export async function look(
  world: World,
  camera: PublicKey,
  viewer: SigningKey,
  grant: Uint8Array,
  signal: AbortSignal,
  onPicture: (pictures: number) => void = () => undefined,
): Promise<Look> {
  const watch = new LiveWatch({
    ...partsOf(world, camera),
    ...{ viewer, role: "viewer" },
    grant: async () => ({ envelope: grant, for: 600_000 }),
  })
  let pictures = 0
  try {
    for await (const _ of watch.pictures(signal)) onPicture(++pictures)
    return { pictures, refused: null }
  } catch (error) {
    if (!isFault(error)) throw error
    return { pictures, refused: error.message }
  }
}

/** Aborts with `signal`, or after `wait`; `stop` ends it before. */
export function within(wait: number, signal: AbortSignal): { readonly signal: AbortSignal; stop(): void } {
  const own = new AbortController()
  const timer = setTimeout(() => own.abort(), wait)
  const stop = () => {
    clearTimeout(timer)
    signal.removeEventListener("abort", stop)
    own.abort()
  }
  signal.addEventListener("abort", stop, { once: true })
  if (signal.aborted) stop()
  return { signal: own.signal, stop }
}
