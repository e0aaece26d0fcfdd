import { type FileHandle, open, readFile } from "node:fs/promises"
import { join } from "node:path"
import { type AccessLog, publicFolder } from "../../../../harness/cloud/log/access-log.ts"
import { openCheckpoint } from "../../../../harness/cloud/log/checkpoint.ts"
import { readIfThere } from "../../../../harness/cloud/log/log-disk.ts"
import { TiledTree } from "../../../../harness/cloud/log/tiles.ts"
import { accessTo, deviceOf, LOG } from "./logs.ts"

/** One after another: each is a group of its own in the journal. */
export async function appendEach(log: AccessLog, from: number, to: number): Promise<Uint8Array[]> {
  const commitments: Uint8Array[] = []
  for (let n = from; n < to; n++)
    commitments.push((await log.append(accessTo(deviceOf(n % 3), n))).commitment)
  return commitments
}

export async function appendTogether(log: AccessLog, count: number): Promise<readonly Uint8Array[]> {
  const appended = await Promise.all(
    Array.from({ length: count }, (_, n) => log.append(accessTo(deviceOf(n % 5), n))),
  )
  return appended.sort((a, b) => a.index - b.index).map(({ commitment }) => commitment)
}

export async function headOf(directory: string) {
  return openCheckpoint(await readFile(join(publicFolder(directory), "checkpoint")), LOG)
}

export const treeIn = (directory: string, size: number) =>
  new TiledTree((path) => readIfThere(join(publicFolder(directory), path)), size)

/** What every file handle of this process inherits. */
export async function fileHandles(directory: string): Promise<FileHandle> {
  const file = await open(join(publicFolder(directory), "checkpoint"))
  await file.close()
  return Object.getPrototypeOf(file)
}
