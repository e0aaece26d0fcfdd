import { readdir, readFile, readlink } from "node:fs/promises"
import { join } from "node:path"

/** State "listen" in /proc/net/tcp (proc_net_tcp: include/net/tcp_states.h). */
const LISTEN = "0A"

interface Socket {
  readonly port: number
  readonly inode: string
  readonly loopback: boolean
}

/** TCP ports on which this machine listens for others, in order; not those for itself alone. */
export async function portsOfMachine(proc = "/proc"): Promise<number[]> {
  return inOrder((await listening(proc)).filter(({ loopback }) => !loopback))
}

/** TCP ports on which process `id` listens, also for this machine alone; null: not ours to see. */
export async function portsOfProcess(id: number, proc = "/proc"): Promise<number[] | null> {
  const folder = join(proc, String(id), "fd")
  const descriptors = await readdir(folder).catch(() => null)
  if (!descriptors) return null
  // One that is closed again meanwhile is none.
  const targets = await Promise.all(descriptors.map((each) => readlink(join(folder, each)).catch(() => "")))
  return inOrder((await listening(proc)).filter(({ inode }) => targets.includes(`socket:[${inode}]`)))
}

async function listening(proc: string): Promise<Socket[]> {
  const tables = await Promise.all(
    ["net/tcp", "net/tcp6"].map((name) => readFile(join(proc, name), "utf8").catch(() => "")),
  )
  return tables.flatMap((table) => table.split("\n").slice(1).flatMap(socketOf))
}

/** `  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 12345 …`, addresses in host order. */
function socketOf(line: string): Socket[] {
  const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/)
  const [address = "", port = ""] = local.split(":")
  if (state !== LISTEN) return []
  const loopback = /^[0-9A-F]{6}7F$/.test(address) || address === "00000000000000000000000001000000"
  return [{ port: Number.parseInt(port, 16), inode, loopback }]
}

function inOrder(sockets: readonly Socket[]): number[] {
  return [...new Set(sockets.map(({ port }) => port))].sort((a, b) => a - b)
}
