import { type Command, Option } from "commander"
import type { CameraConfig } from "../../firmware/config.ts"
import { parseConfig } from "../../firmware/config.ts"
import type { LinkParts } from "../../firmware/control/link.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import { processClock } from "../../hardware/clock.ts"
import { platformRandom } from "../../hardware/random.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import { brokerOption, cloudDialler } from "./cloud-address.ts"
import { homePaths, wholeNumber } from "./options.ts"
import { cloudIdentity } from "./owner.ts"
import { patience } from "./patience.ts"
import { stopOnSignals } from "./stop.ts"

export interface ContactOptions {
  readonly home: string
  /** undefined: the household's own. */
  readonly broker?: string
  /** Seconds. */
  readonly wait: number
}

/** What an owner's command needs to talk to cameras and cloud. */
export interface Contact {
  readonly cloud: CloudIdentity
  readonly broker: { readonly name: string; readonly pin: string | null }
  readonly parts: LinkParts
  readonly config: CameraConfig["link"]
  /** A fresh end of patience, for one question: aborts after `--wait`, or with the command. */
  until(): AbortSignal
  readonly within: Milliseconds
  readonly signal: AbortSignal
}

export function withContact(command: Command, wait = 45): Command {
  return command
    .addOption(brokerOption())
    .addOption(
      new Option("--wait <s>", "how long to wait for each answer")
        .argParser(wholeNumber(1, 3_600))
        .default(wait),
    )
}

/** @throws Fault "usage", definite: a wrong address, or no cloud's identity; "unavailable": nobody there. */
export async function inContact<T>(
  { home, broker, wait }: ContactOptions,
  task: (contact: Contact) => Promise<T>,
): Promise<T> {
  const dialler = await cloudDialler(home, broker)
  const cloud = await cloudIdentity(homePaths(home).cloud)
  const { signal, forget } = stopOnSignals()
  try {
    const within = seconds(wait)
    const until = () => patience(signal, within)
    // A wrong address is worth a line at once; a link would try it until the end.
    const { stream } = await dialler.dial(cloud.brokerKey, until())
    stream.destroy()
    const parts = {
      dialler,
      clock: processClock(),
      random: platformRandom,
      log: { write: () => undefined },
    }
    const name = { name: cloud.name, pin: cloud.brokerKey }
    return await task({ cloud, broker: name, parts, config: parseConfig().link, until, within, signal })
  } finally {
    forget()
  }
}
