import { type AddressInfo, createServer } from "node:net"

/** The far end of the raw loopback: takes bytes and counts them. */
export async function begin() {
  let bytes = 0
  const server = createServer((socket) => {
    socket.on("data", (data) => {
      bytes += data.length
    })
    socket.on("error", () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    port: () => (server.address() as AddressInfo).port,
    bytes: () => bytes,
  }
}
