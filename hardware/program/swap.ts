import { readFile } from "node:fs/promises"
import { basename, join } from "node:path"

/** Where the kernel may put memory that it has no room for; pictures are plain in the camera's memory. */
export interface Swap {
  /** Swap that ends on a disk: devices, files, and what backs a compressed one. Empty: there is none. */
  readonly onDisk: readonly string[]
  /** The kernel keeps the camera out of it (MemorySwapMax=0 of its unit). null: it does not run, or it cannot be told. */
  readonly cameraIsKeptOut: boolean | null
}

/** `process`: the camera's; null: it does not run. */
export async function swapOf(process: number | null, root = "/"): Promise<Swap> {
  const [, ...rows] = (await text(join(root, "proc/swaps"))).trim().split("\n")
  const places = await Promise.all(rows.map((row) => diskBehind(row.split(/\s+/)[0] ?? "", root)))
  return {
    onDisk: places.filter((place) => place !== null),
    cameraIsKeptOut: process === null ? null : await isKeptOut(process, root),
  }
}

/** zram is memory, unless it was given a device to write to when it is full (Documentation/admin-guide/blockdev/zram). */
async function diskBehind(swap: string, root: string): Promise<string | null> {
  if (!/^\/dev\/zram\d+$/.test(swap)) return swap
  const backing = (await text(join(root, "sys/block", basename(swap), "backing_dev"))).trim()
  return backing === "" || backing === "none" ? null : backing
}

/** Raspberry Pi's kernel has no memory controller unless its command line asks for one: then nothing is kept out. */
async function isKeptOut(process: number, root: string): Promise<boolean | null> {
  const [, group] = /^0::(\/.*)$/m.exec(await text(join(root, "proc", String(process), "cgroup"))) ?? []
  if (group === undefined) return null
  return (await text(join(root, "sys/fs/cgroup", group, "memory.swap.max"))).trim() === "0"
}

// What is not there says nothing.
async function text(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "")
}
