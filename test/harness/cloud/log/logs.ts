import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { accessTo, copyLog, LOG, LOG_KEY } from "../../../../harness/checks/worlds/log-folders.ts"
import { AccessLog } from "../../../../harness/cloud/log/access-log.ts"

export { accessTo, LOG, LOG_KEY }

export function openLog(directory: string): Promise<AccessLog> {
  return AccessLog.open({ directory, origin: LOG.origin, key: LOG_KEY })
}

/** A camera's id; the first byte says in which shard its mailbox is. */
export const deviceOf = (number: number): string => number.toString(16).padStart(2, "0").padEnd(40, "d")

/** A folder, and copies of it, that go with the test. */
export class Folders {
  readonly #all: string[] = []

  async make(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "obscura-log-"))
    this.#all.push(folder)
    return join(folder, "log")
  }

  /** What a power cut would leave now: all that was written. Not the lock, which is no file. */
  async copyOf(log: string): Promise<string> {
    const copy = await this.make()
    await copyLog(log, copy)
    return copy
  }

  async remove(): Promise<void> {
    for (const folder of this.#all.splice(0)) await rm(folder, { recursive: true, force: true })
  }
}

/** Path from `directory` to content. */
export async function filesOf(directory: string): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>()
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile()) files.set(path.slice(directory.length + 1), await readFile(path))
  }
  return files
}
