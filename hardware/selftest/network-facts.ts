import { lookup } from "node:dns/promises"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { Fault, messageOf } from "../../firmware/errors.ts"
import type { Network } from "./world.ts"

/** Flags of a route (linux/route.h): up, and by way of a gateway. */
const UP = 0x1

/** What the kernel's tables and the system's name service say. */
export function systemNetwork(proc = "/proc"): Network {
  return {
    defaultRoute: async () =>
      (await route4(join(proc, "net/route"))) ?? (await route6(join(proc, "net/ipv6_route"))),
    async resolve(host) {
      try {
        return (await lookup(host, { all: true })).map(({ address }) => address)
      } catch (cause) {
        const code = cause instanceof Error && "code" in cause ? cause.code : null
        const reason =
          code === "ENOTFOUND"
            ? "no such name; or no name server was given by the network"
            : code === "EAI_AGAIN"
              ? "the name server does not answer"
              : messageOf(cause)
        throw new Fault("unavailable", `${host}: ${reason}`, { cause })
      }
    },
  }
}

/** `wlan0  00000000  0101A8C0  0003  …`: interface, destination, gateway, flags, all hex. */
async function route4(file: string): Promise<string | null> {
  for (const [name, destination, , flags = ""] of await rows(file))
    if (name && name !== "lo" && destination === "00000000" && (Number.parseInt(flags, 16) & UP) !== 0)
      return name
  return null
}

/** Destination, its prefix, source, its prefix, next hop, metric, two counts, flags, interface, all hex. */
async function route6(file: string): Promise<string | null> {
  for (const row of await rows(file)) {
    const [destination = "", prefix, , , , , , , flags = "", name] = row
    const isUp = (Number.parseInt(flags, 16) & UP) !== 0
    if (name && name !== "lo" && /^0{32}$/.test(destination) && prefix === "00" && isUp) return name
  }
  return null
}

async function rows(file: string): Promise<string[][]> {
  const table = await readFile(file, "utf8").catch(() => "")
  return table.split("\n").map((line) => line.trim().split(/\s+/))
}
