import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { KiB } from "../../firmware/units.ts"

/** The near end of the raw loopback: so many sockets, each with one write of 64 KiB under way, as fast as they go. */
export async function begin({ port, sockets }: { readonly port: number; readonly sockets: number }) {
  const block = Buffer.alloc(64 * KiB, 7)
  const all = Array.from({ length: sockets }, () => connect({ port, host: "127.0.0.1", noDelay: true }))
  await Promise.all(all.map((socket) => once(socket, "connect")))
  let running = false
  const push = (socket: Socket): void => {
    if (running) socket.write(block, () => push(socket))
  }
  return {
    open(open: boolean) {
      running = open
      if (open) for (const socket of all) push(socket)
    },
  }
}
