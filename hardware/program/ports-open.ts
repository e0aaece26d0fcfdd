import { readdir, readFile, readlink } from "node:fs/promises"
import { join } from "node:path"

/** Ports by which somebody outside a process reaches it, each protocol's in order. */
export interface OpenPorts {
  readonly tcp: readonly number[]
  readonly udp: readonly number[]
}

type Protocol = keyof OpenPorts

/**
 * States in /proc/net/tcp and udp (include/net/tcp_states.h): a TCP socket listens; a UDP socket that is bound and has no
 * peer hears everybody, and the kernel calls that "close".
 */
const OPEN: Readonly<Record<Protocol, string>> = { tcp: "0A", udp: "07" }

interface Socket {
  readonly protocol: Protocol
  readonly port: number
  readonly inode: string
  readonly loopback: boolean
}

/** Ports on which this machine hears others; not those for itself alone. */
export async function portsOfMachine(proc = "/proc"): Promise<OpenPorts> {
  return inOrder((await openSockets(proc)).filter(({ loopback }) => !loopback))
}

/** Ports on which process `id` hears anybody, also on this machine alone; null: not ours to see. */
export async function portsOfProcess(id: number, proc = "/proc"): Promise<OpenPorts | null> {
  const folder = join(proc, String(id), "fd")
  const descriptors = await readdir(folder).catch(() => null)
  if (!descriptors) return null
  // One that is closed again meanwhile is none.
  const targets = await Promise.all(descriptors.map((each) => readlink(join(folder, each)).catch(() => "")))
  return inOrder((await openSockets(proc)).filter(({ inode }) => targets.includes(`socket:[${inode}]`)))
}

async function openSockets(proc: string): Promise<Socket[]> {
  const tables = (["tcp", "udp"] as const).flatMap((protocol) =>
    [protocol, `${protocol}6`].map(async (name) => {
      const table = await readFile(join(proc, "net", name), "utf8").catch(() => "")
      return table
        .split("\n")
        .slice(1)
        .flatMap((line) => socketOf(line, protocol))
    }),
  )
  return (await Promise.all(tables)).flat()
}

/** `  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 12345 …`, addresses in host order. */
function socketOf(line: string, protocol: Protocol): Socket[] {
  const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/)
  const [address = "", port = ""] = local.split(":")
  if (state !== OPEN[protocol]) return []
  const loopback = /^[0-9A-F]{6}7F$/.test(address) || address === "00000000000000000000000001000000"
  return [{ protocol, port: Number.parseInt(port, 16), inode, loopback }]
}

function inOrder(sockets: readonly Socket[]): OpenPorts {
  const of = (protocol: Protocol) => {
    const ports = sockets.filter((socket) => socket.protocol === protocol).map(({ port }) => port)
    return [...new Set(ports)].sort((a, b) => a - b)
  }
  return { tcp: of("tcp"), udp: of("udp") }
}
