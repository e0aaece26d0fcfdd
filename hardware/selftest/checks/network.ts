import { isIP } from "node:net"
import { isFault, messageOf } from "../../../firmware/errors.ts"
import { isLoopback } from "../../dialler.ts"
import { type Check, type Finding, fail, pass, skipped } from "../check.ts"

/** A way out, and a name server that knows the broker. */
export const network: Check = {
  name: "network",
  mandatory: false,
  async run({ world }): Promise<Finding> {
    const { broker } = world
    const route = await world.network.defaultRoute()
    if (broker && isLoopback(broker.host)) return pass("the broker is this machine", { defaultRoute: route })
    const way = route === null ? "no default route" : `by ${route}`
    const noWay = "no default route: is there a cable, or Wi-Fi? `nmcli device` says"
    if (!broker)
      return route === null
        ? fail(noWay, { defaultRoute: null })
        : skipped(`${way}; the settings name no broker whose name could be looked up`, {
            defaultRoute: route,
          })
    const measured = { defaultRoute: route, host: broker.host }
    if (isIP(broker.host))
      return route === null ? fail(noWay, measured) : pass(`${way}; the broker is an address`, measured)
    try {
      const addresses = await world.network.resolve(broker.host)
      return pass(`${way}; ${broker.host} is ${addresses.join(", ")}`, {
        ...measured,
        addresses: addresses.length,
      })
    } catch (error) {
      if (!isFault(error)) throw error
      return fail(route === null ? noWay : messageOf(error), measured)
    }
  },
}
