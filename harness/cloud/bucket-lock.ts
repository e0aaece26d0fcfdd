import { stat, unlink } from "node:fs/promises"
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
  if (isTooLongToLock(directory))
    throw new Fault("usage", `bucket ${directory}: the path is too long; choose a folder of at most 98 bytes`)
  const server = await serverAt(join(directory, "lock"), directory)
  if (server === null)
    throw new Fault(
      "usage",
      `bucket ${directory}: another process uses it; stop that one or choose another folder`,
    )
  // It answers nobody and keeps no process alive: that it listens is all.
  server.unref()
  return () => closed(server)
}

export const isTooLongToLock = (directory: string): boolean =>
  Buffer.byteLength(join(directory, "lock")) > PATH_BYTES_MAX

/** Of a grave that a crash left, too, the dead are taken away. */
const DEPTH_MAX = 3

/** null: somebody listens there. */
async function serverAt(path: string, directory: string, depth = 0): Promise<Server | null> {
  const server = await listen(path, directory)
  if (server !== null || depth === DEPTH_MAX || (await someoneListens(path))) return server
  const inode = await inodeOf(path)
  const grave = inode === null ? null : await serverAt(graveOf(inode, directory), directory, depth + 1)
  if (grave === null) return null
  try {
    // Two that find one socket dead must not both take it away: the second would take the new one of the first. Only who
    // holds the grave of an inode takes that away, so what is dead under this name now stays so until it goes.
    if (inode === (await inodeOf(path)) && !(await someoneListens(path)))
      await unlink(path).catch(() => undefined)
  } finally {
    await closed(grave)
  }
  return listen(path, directory)
}

/** As long as "lock". Two inodes of one grave wait for each other, and that is all. */
const graveOf = (inode: number, directory: string): string =>
  join(directory, `g${(inode % 36 ** 3).toString(36)}`)

function inodeOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ ino }) => ino,
    () => null,
  )
}

const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()))

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
