import { unlink } from "node:fs/promises"
import { connect, createServer, type Server } from "node:net"
import { join } from "node:path"
import { Fault } from "../../firmware/errors.ts"
import { diskFault } from "./bucket-disk.ts"

/** Longer paths do not fit a socket's address (unix(7): 108 bytes, 104 on macOS). */
const PATH_BYTES_MAX = 103

/** Gives the folder back. */
export type Unlock = () => Promise<void>

/**
 * One process at a time may have the bucket in `directory`: it listens on a Unix socket there. Unlike a file with a
 * process id, a listener dies with its process, whatever killed it, and no later process is taken for it.
 *
 * @throws Fault "usage", definite: another process has it.
 */
export async function lockFolder(directory: string): Promise<Unlock> {
  const path = join(directory, "lock")
  if (Buffer.byteLength(path) > PATH_BYTES_MAX)
    throw new Fault("usage", `bucket ${directory}: the path is too long; choose a folder of at most 98 bytes`)
  const server = (await listen(path, directory)) ?? (await afterTheDead(path, directory))
  // It answers nobody and keeps no process alive: that it listens is all.
  server.unref()
  return () => new Promise((resolve) => server.close(() => resolve()))
}

async function afterTheDead(path: string, directory: string): Promise<Server> {
  if (!(await someoneListens(path))) {
    await unlink(path).catch(() => undefined)
    const server = await listen(path, directory)
    if (server !== null) return server
  }
  throw new Fault(
    "usage",
    `bucket ${directory}: another process uses it; stop that one or choose another folder`,
  )
}

/** null: the address is taken, perhaps by one that is no more. */
function listen(path: string, directory: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(null)
      else reject(diskFault(error, directory))
    })
    server.listen(path, () => resolve(server))
  })
}

function someoneListens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.once("error", () => resolve(false))
  })
}
