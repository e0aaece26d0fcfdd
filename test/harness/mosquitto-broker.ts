import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { writeFile } from "node:fs/promises"
import { connect, createServer } from "node:net"
import { join } from "node:path"

/** Somebody else's broker, for the length of a test. Its configuration goes into `folder`. */
export async function startMosquitto(
  command: string,
  folder: string,
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const port = await freePort()
  const file = join(folder, "mosquitto.conf")
  await writeFile(file, `listener ${port} 127.0.0.1\nallow_anonymous true\n`)
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
