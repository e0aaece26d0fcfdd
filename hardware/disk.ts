import { open, statfs } from "node:fs/promises"
import { dirname, join } from "node:path"
import type { Disk } from "../firmware/ports.ts"
import type { Bytes } from "../firmware/units.ts"
import { lockDirectory } from "./directory-lock.ts"
import { faultOf, openStore } from "./fs-store.ts"
import { makeFolders } from "./make-folder.ts"

/**
 * A camera's state in one directory of a file system:
 *
 *   <directory>/          0700
 *     lock                who has it open
 *     data/<name>         0600, an entry
 *     data/_<number>      0600, an entry in the making: removed at open, never listed
 *     private/…           the same for the private area
 */
export interface FsDisk extends Disk {
  /** Lets another process have the directory. */
  close(): Promise<void>
}

/**
 * Opens, or makes, the state directory and keeps it for this process alone.
 * @throws Fault "usage", definite: in use, or no directory can be there. "unavailable", definite: not allowed, read-only.
 */
export async function fsDisk(directory: string): Promise<FsDisk> {
  await makeDirectory(directory)
  const unlock = await lockDirectory(directory).catch((cause: unknown) => {
    throw faultOf(cause, directory)
  })
  try {
    const data = await openStore(join(directory, "data"))
    const hidden = await openStore(join(directory, "private"))
    await syncDirectory(directory)
    await syncDirectory(dirname(directory))
    return {
      put: (name, parts) => data.put(name, parts),
      get: (name) => data.get(name),
      remove: (name) => data.remove(name),
      list: (prefix) => data.list(prefix),
      private: hidden,
      free: () => freeIn(directory),
      async close() {
        await data.close()
        await hidden.close()
        await unlock()
      },
    }
  } catch (cause) {
    await unlock()
    throw faultOf(cause, directory)
  }
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await makeFolders(directory)
  } catch (cause) {
    throw faultOf(cause, directory)
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function freeIn(directory: string): Promise<Bytes> {
  try {
    const { bavail, bsize } = await statfs(directory)
    return bavail * bsize
  } catch (cause) {
    throw faultOf(cause, directory)
  }
}
