import { type AddressInfo, createServer } from "node:net"
import { Aedes } from "aedes"

/** Aedes as it comes: it asks nobody who they are. */
export async function begin() {
  const broker = await Aedes.createBroker()
  const server = createServer((socket) => broker.handle(socket))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    identity: () => ({ port: (server.address() as AddressInfo).port, identity: null }),
    async close() {
      await new Promise<void>((resolve) => broker.close(() => resolve()))
      server.close()
    },
  }
}
