import { type Identity, openIdentity } from "../../../firmware/control/identity.ts"
import { Link } from "../../../firmware/control/link.ts"
import { OwnershipFile } from "../../../firmware/control/ownership.ts"
import { isFault } from "../../../firmware/errors.ts"
import type { Dialler } from "../../../firmware/ports.ts"
import { type Milliseconds, seconds } from "../../../firmware/units.ts"
import { type Check, type Finding, fail, type Jig, pass, skipped } from "../check.ts"

const WITHIN: Milliseconds = seconds(15)

/**
 * The broker of the settings answers. Paired, it must be the one of the pairing, and let the camera in; a new camera
 * cannot know its broker yet, and says nothing to it.
 */
export const broker: Check = {
  name: "broker",
  mandatory: false,
  async run(jig): Promise<Finding> {
    const { broker } = jig.world
    if (!broker) return skipped("the settings name none: the camera would record and keep")
    const over = new AbortController()
    const cancel = jig.world.clock.after(WITHIN, () => over.abort())
    const signal = AbortSignal.any([jig.signal, over.signal])
    try {
      const mine = await pairingOf(jig)
      return mine ? await connects(jig, mine, broker.dialler, signal) : await answers(broker, signal)
    } finally {
      cancel()
    }
  },
}

async function answers(
  { host, dialler }: { readonly host: string; readonly dialler: Dialler },
  signal: AbortSignal,
): Promise<Finding> {
  try {
    const { stream, binding } = await dialler.dial(null, signal)
    stream.on("error", () => undefined).destroy()
    return pass(`${host} answers${binding ? " by TLS 1.3, its certificate holds" : ""}; not paired yet`)
  } catch (error) {
    if (!isFault(error, "refused")) throw error
    return skipped(`${error.message}; it answers, and pairing will tell the camera its key`)
  }
}

interface Mine {
  readonly identity: Identity
  readonly broker: { readonly name: string; readonly pin: string | null }
}

async function pairingOf({ world }: Jig): Promise<Mine | null> {
  // Asked first, for `openIdentity` makes a key where there is none.
  if ((await world.keyFile()) === null) return null
  const disk = world.disk()
  const identity = await openIdentity(disk)
  const ownership = await new OwnershipFile(disk, identity).read()
  return ownership && { identity, broker: ownership.broker }
}

/** By the firmware's own link, which says why it did not work. */
async function connects(
  { world }: Jig,
  { identity, broker }: Mine,
  dialler: Dialler,
  signal: AbortSignal,
): Promise<Finding> {
  const done = new AbortController()
  let reason: string | null = null
  const log = {
    write(line: { readonly event: string; readonly reason?: string }) {
      if (line.event !== "disconnected") return
      reason ??= line.reason ?? null
      done.abort()
    },
  }
  const { clock, random, config } = world
  const caller = { role: "camera", key: identity.key, broker, subscriptions: [] } as const
  const link = new Link({ clock, random, dialler, log }, config.link, caller)
  const until = AbortSignal.any([signal, done.signal])
  const comesUp = async () => {
    const isUp = await link.whenConnected(until)
    done.abort()
    return isUp
  }
  const [connected] = await Promise.all([comesUp(), link.run(until)])
  if (connected) return pass(`${broker.name} is the one of the pairing, and lets this camera in`)
  return fail(reason ?? `no answer within ${WITHIN / 1_000} s`)
}
