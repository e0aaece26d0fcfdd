import type { SigningKey } from "../../firmware/control/keys.ts"
import type { Answer } from "../../firmware/control/protocol.ts"
import { seconds } from "../../firmware/units.ts"
import { processClock } from "../../hardware/clock.ts"
import { platformRandom } from "../../hardware/random.ts"
import { sendCommand } from "../owner/command.ts"
import { within } from "./guest.ts"
import type { Home } from "./home.ts"
import type { World } from "./world.ts"

/** A command by the connection of `key`, through the real broker. null: it was not answered. */
export async function sendAsOwner(
  { cloud, dialler }: World,
  { camera, config }: Home,
  command: Uint8Array,
  key: SigningKey,
  signal: AbortSignal,
  wait = seconds(10),
): Promise<Answer | null> {
  const until = within(wait, signal)
  const parts = { clock: processClock(), random: platformRandom, dialler, log: { write: () => undefined } }
  const broker = { name: cloud.name, pin: cloud.brokerKey }
  const answer = await sendCommand(command, camera, key, broker, parts, config.link, until.signal)
  until.stop()
  return answer
}
