import { randomBytes } from "node:crypto"
import { openMqtt } from "../../firmware/control/connection.ts"
import { sign } from "../../firmware/control/dsse.ts"
import { openIdentity } from "../../firmware/control/identity.ts"
import { type SigningKey, signingKeyOf } from "../../firmware/control/keys.ts"
import { OwnershipFile } from "../../firmware/control/ownership.ts"
import type { Connect } from "../../firmware/control/protocol.ts"
import { isFault } from "../../firmware/errors.ts"
import type { Dialler } from "../../firmware/ports.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import { processClock } from "../../hardware/clock.ts"
import type { Member } from "../../simulator/fleet.ts"

const CONNECT_WITHIN: Milliseconds = seconds(10)
/** How long somebody who got in stays, if nobody throws them out. */
const STAYS: Milliseconds = seconds(2)

/** Somebody connects under the name of `member` with a key of their own. Resolves true if the broker let them in. */
export function connectWithWrongKey(member: Member, dialler: Dialler): Promise<boolean> {
  return connectAs(member, dialler, signingKeyOf(randomBytes(32)))
}

/** Somebody has taken the camera's own key, and connects beside it: the broker takes one for the other. */
export function connectTwice(member: Member, dialler: Dialler): Promise<boolean> {
  return connectAs(member, dialler, null)
}

/** `signer`: signs for the camera's key; null: that key itself. */
async function connectAs(member: Member, dialler: Dialler, signer: SigningKey | null): Promise<boolean> {
  const { disk } = member.board
  const within = new AbortController()
  const timer = setTimeout(() => within.abort(), CONNECT_WITHIN)
  try {
    const identity = await openIdentity(disk)
    const { key } = identity
    const ownership = await new OwnershipFile(disk, identity).read()
    if (ownership === null) return false
    const dialled = await dialler.dial(ownership.broker.pin, within.signal)
    const binding = dialled.binding ? Buffer.from(dialled.binding).toString("hex") : null
    const body: Connect = {
      role: "camera",
      broker: ownership.broker.name,
      client: key.id,
      key: key.hex,
      binding,
    }
    const connection = await openMqtt(dialled, processClock(), {
      clientId: key.id,
      username: "camera",
      password: sign("connect", body, signer ?? key),
      keepAlive: seconds(30),
      connectWithin: CONNECT_WITHIN,
      subscriptions: [],
      willTopic: null,
      onMessage: () => undefined,
      signal: within.signal,
    })
    const leave = setTimeout(connection.end, STAYS)
    await connection.ended
    clearTimeout(leave)
    return true
  } catch (error) {
    if (isFault(error)) return false
    throw error
  } finally {
    clearTimeout(timer)
  }
}
