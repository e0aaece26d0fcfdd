import { once } from "node:events"
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net"
import { createServer, type TlsOptions } from "node:tls"
import { afterEach, expect, test } from "vitest"
import { networkDialler } from "../../hardware/dialler.ts"
import { selfSigned } from "./certificate.ts"

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})
const never = new AbortController().signal

async function broker(options: TlsOptions): Promise<{ server: Server; port: number }> {
  const server = createServer(options).listen(0, "127.0.0.1")
  servers.push(server)
  await once(server, "listening")
  return { server, port: (server.address() as AddressInfo).port }
}

test("the pinned key counts alone: an expired, unknown certificate for another name is good", async () => {
  const { certificate, key, pin } = selfSigned({ notAfter: "20210101000000Z", dnsName: "elsewhere.example" })
  const { port } = await broker({ cert: certificate, key })
  const { stream, binding } = await networkDialler(`mqtts://localhost:${port}`).dial(pin, never)
  expect(binding).toHaveLength(32)
  stream.destroy()
})

test("without a pin a certificate that the given authority vouches for is good", async () => {
  const { certificate, key } = selfSigned()
  const { port } = await broker({ cert: certificate, key })
  const { stream } = await networkDialler(`mqtts://localhost:${port}`, { ca: certificate }).dial(null, never)
  stream.destroy()
})

test.each([
  ["nobody vouches for", {}, false],
  ["has expired", { notAfter: "20210101000000Z" }, true],
  ["is for another name", { dnsName: "elsewhere.example" }, true],
])("without a pin a certificate that %s is refused, definitely", async (_why, wishes, vouched) => {
  const { certificate, key } = selfSigned(wishes)
  const { port } = await broker({ cert: certificate, key })
  const dialler = networkDialler(`mqtts://localhost:${port}`, vouched ? { ca: certificate } : {})
  await expect(dialler.dial(null, never)).rejects.toEqual(
    expect.objectContaining({ kind: "refused", definite: true }),
  )
})

test("the pin does not excuse an older TLS", async () => {
  const { certificate, key, pin } = selfSigned()
  const { port } = await broker({ cert: certificate, key, maxVersion: "TLSv1.2" })
  await expect(networkDialler(`mqtts://127.0.0.1:${port}`).dial(pin, never)).rejects.toEqual(
    expect.objectContaining({ kind: "unavailable", definite: true }),
  )
})

test("a client certificate is shown to a broker that asks for one", async () => {
  const camera = selfSigned({ dnsName: "camera" })
  const { certificate, key, pin } = selfSigned()
  const { server, port } = await broker({
    cert: certificate,
    key,
    ca: camera.certificate,
    requestCert: true,
    rejectUnauthorized: true,
  })
  const accepted = once(server, "secureConnection")
  const client = { certificate: camera.certificate, key: camera.key }
  const { stream } = await networkDialler(`mqtts://127.0.0.1:${port}`, { client }).dial(pin, never)
  const [socket] = await accepted
  expect(socket.authorized).toBe(true)
  stream.destroy()
})

test("a dial into silence ends when it is given up, and leaves nothing open", async () => {
  const server = createTcpServer().listen(0, "127.0.0.1")
  servers.push(server)
  await once(server, "listening")
  const accepted = once(server, "connection")
  const giveUp = new AbortController()
  const { port } = server.address() as AddressInfo
  const dial = networkDialler(`mqtts://127.0.0.1:${port}`).dial("ab".repeat(32), giveUp.signal)
  const [socket] = await accepted
  const closed = once(socket.resume().on("error", Boolean), "close")
  giveUp.abort()
  await expect(dial).rejects.toEqual(expect.objectContaining({ kind: "unavailable", definite: true }))
  await closed
})

test.each([
  ["mqtt://broker.example", "use mqtts://broker.example"],
  ["mqtt://192.168.0.7:1883", "use mqtts://192.168.0.7:1883"],
  ["mqtt://127.0.0.1.example", "use mqtts://"],
  ["mqtts://name:secret@broker.example", "no user and password"],
  ["https://broker.example", "it looks like mqtts://host:8883"],
  ["broker.example:8883", "it looks like mqtts://host:8883"],
  ["", "it looks like mqtts://host:8883"],
])("the URL %j is refused with advice, and nothing of a password is repeated", (url, advice) => {
  expect(() => networkDialler(url)).toThrow(advice)
  expect(() => networkDialler(url)).toThrow(expect.objectContaining({ kind: "usage" }))
  expect(() => networkDialler(url)).not.toThrow("secret")
})

test.each(["mqtt://localhost", "mqtt://127.0.0.2:5", "mqtt://[::1]:1883", "mqtts://broker.example"])(
  "the URL %j is good",
  (url) => {
    networkDialler(url)
  },
)
