import type { Server } from "node:net"
import type { Duplex } from "node:stream"
import { TLSSocket } from "node:tls"
import { Fault, messageOf } from "../../firmware/errors.ts"

/** What a door needs of the network, whatever it speaks. */

/** Connections that wait to be accepted. With node's 511 a fleet that comes at once is kept out by the kernel for 30 s. */
const BACKLOG = 4_096
/** RFC 9266. */
const EXPORTER_LABEL = "EXPORTER-Channel-Binding"

/** null: plain TCP, or a socket that closed before anybody could ask; no password with a binding fits that. */
export function bindingOf(socket: Duplex): string | null {
  if (!(socket instanceof TLSSocket) || socket.destroyed) return null
  return socket.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0)).toString("hex")
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host)
}

/** Resolves with the port. @throws Fault "usage", definite: taken, or no such host. */
export function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === "EADDRINUSE"
          ? "is taken; stop what listens there or choose another port"
          : `cannot be listened on (${cause.code ?? messageOf(cause)}); choose another host or port`
      reject(new Fault("usage", `${host}:${port} ${why}`, { cause }))
    })
    server.listen({ port, host, backlog: BACKLOG }, () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : port)
    })
  })
}
