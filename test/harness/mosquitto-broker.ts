import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { writeFile } from "node:fs/promises"
import { connect, createServer } from "node:net"
import { join } from "node:path"
import { issuedBy, newAuthority } from "../../harness/cloud/certificate.ts"

/** Somebody else's broker, for the length of a test. */
export interface Mosquitto {
  readonly port: number
  stop(): Promise<void>
}

/** Its configuration goes into `folder`. `lines`: what the listener wants of clients. */
export async function startMosquitto(
  command: string,
  folder: string,
  lines: readonly string[] = ["allow_anonymous true"],
): Promise<Mosquitto> {
  const port = await freePort()
  const file = join(folder, "mosquitto.conf")
  await writeFile(file, [`listener ${port} 127.0.0.1`, ...lines, ""].join("\n"))
  const broker: ChildProcess = spawn(command, ["-c", file], { stdio: "ignore" })
  await listening(port)
  return {
    port,
    async stop() {
      broker.kill()
      await once(broker, "exit")
    },
  }
}

/** Files for clients of a mosquitto that speaks TLS and lets in whom one authority vouches for. */
export interface CertifiedMosquitto extends Mosquitto {
  /** Who vouches for the broker. */
  readonly brokerCa: string
  readonly clientCa: string
  readonly clientCaKey: string
}

/** Each camera has its own topics, owners and cameras have pairings, the ingest has all. */
const ACCESS = `user obscura-ingest
topic readwrite obscura/1/#
user obscura-owner
topic readwrite obscura/1/pair/#
pattern readwrite obscura/1/pair/#
pattern readwrite obscura/1/%u/#
`

export async function startCertifiedMosquitto(command: string, folder: string): Promise<CertifiedMosquitto> {
  const write = async (name: string, text: string) => {
    const path = join(folder, name)
    await writeFile(path, text, { mode: 0o600 })
    return path
  }
  const clients = newAuthority("a test's cameras")
  const vouching = newAuthority("a test's brokers")
  const own = issuedBy(vouching, { names: ["localhost", "127.0.0.1"] })
  const files = {
    brokerCa: await write("broker-ca.pem", vouching.certificate),
    clientCa: await write("client-ca.pem", clients.certificate),
    clientCaKey: await write("client-ca.key", clients.key),
  }
  const broker = await startMosquitto(command, folder, [
    // Or it would become a user that may not read these files.
    "user root",
    `cafile ${files.clientCa}`,
    `certfile ${await write("broker.pem", own.certificate)}`,
    `keyfile ${await write("broker.key", own.key)}`,
    "require_certificate true",
    "use_identity_as_username true",
    `acl_file ${await write("access", ACCESS)}`,
  ])
  return { ...broker, ...files }
}

export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  return typeof address === "object" && address !== null ? address.port : 0
}

async function listening(at: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const socket = connect(at, "127.0.0.1")
    const up = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "close").then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (up) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error("mosquitto does not start")
}
