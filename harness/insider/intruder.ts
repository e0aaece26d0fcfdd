import { openMqtt } from "../../firmware/control/connection.ts"
import { sign } from "../../firmware/control/dsse.ts"
import type { SigningKey } from "../../firmware/control/keys.ts"
import type { Connect, Role } from "../../firmware/control/protocol.ts"
import { isFault } from "../../firmware/errors.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import { processClock } from "../../hardware/clock.ts"
import { sleep } from "../../simulator/sleep.ts"
import type { Said } from "./rogue-broker.ts"
import type { World } from "./world.ts"

const CONNECT_WITHIN: Milliseconds = seconds(5)

/** Whom somebody claims to be. */
export interface Claim {
  readonly role: Role
  /** Signs. */
  readonly key: SigningKey
  /** The client id that is claimed; absent: the key's own. */
  readonly client?: string
}

export interface Intrusion {
  /** The broker let them in. */
  readonly entered: boolean
  /** Everything that came. */
  readonly heard: readonly Said[]
}

/**
 * Connects to the real broker by `claim`, subscribes to `topics`, says `words`, and listens for `stay`, or until it is
 * thrown out: the broker ends a connection at the first word that it may not say.
 *
 * @throws Fault "unavailable": the broker did not answer at all, so nothing was tried.
 */
export async function intrude(
  { dialler, cloud }: World,
  claim: Claim,
  topics: readonly string[],
  words: readonly Said[],
  stay: Milliseconds,
  signal: AbortSignal,
): Promise<Intrusion> {
  const { role, key, client = key.id } = claim
  const heard: Said[] = []
  const dialled = await dialler.dial(cloud.brokerKey, signal)
  const binding = dialled.binding ? Buffer.from(dialled.binding).toString("hex") : null
  const body: Connect = { role, broker: cloud.name, client, key: key.hex, binding }
  try {
    const connection = await openMqtt(dialled, processClock(), {
      ...{ clientId: client, username: role, password: sign("connect", body, key), keepAlive: seconds(30) },
      ...{ connectWithin: CONNECT_WITHIN, subscriptions: topics, willTopic: null, signal },
      onMessage: (topic, payload) => void heard.push({ topic, payload: Buffer.from(payload) }),
    })
    const over = new AbortController()
    connection.ended.then(() => over.abort()).catch(() => undefined)
    for (const { topic, payload } of words)
      await connection.publish(topic, payload).catch((error: unknown) => {
        if (!isFault(error, "unavailable")) throw error
      })
    await sleep(stay, over.signal)
    connection.end()
    return { entered: true, heard }
  } catch (error) {
    if (!isFault(error, "refused")) throw error
    return { entered: false, heard }
  }
}
