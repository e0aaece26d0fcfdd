import { link, open, readFile, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { Fault, isFault } from "../firmware/errors.ts"
import { isAlive } from "./is-alive.ts"

/**
 * Keeps a state directory for one process: two cameras that write one chain of manifests would fork it.
 *
 * The file `lock` names its holder as `<process id> <start time>`, the start time in words of the kernel (boot id and
 * clock ticks), for after a power cut the same number may belong to another process. A lock whose holder is gone is
 * stale and taken over. The returned function unlocks.
 *
 * @throws Fault "usage", definite, if a living process holds it.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const lock = join(directory, "lock")
  const mine = `${lock}-${process.pid}-${asked++}`
  await writeSynced(mine, `${process.pid} ${(await startOf(process.pid)) ?? UNKNOWN}\n`)
  try {
    await acquire(lock, mine)
  } finally {
    await rm(mine, { force: true })
  }
  return () => rm(lock, { force: true })
}

const UNKNOWN = "-"
/** Two opens of one process meet under names of their own. */
let asked = 0

/** `link` either makes the whole lock at once or fails: nobody ever reads half a lock. */
async function acquire(lock: string, mine: string): Promise<void> {
  if (await linked(mine, lock)) return
  const holder = await readFile(lock, "utf8").catch(nothing)
  if (await isHeld(holder)) throw inUse(lock, holder)
  // Moved, not removed: if another process took it over since it was read, this moves a living lock, and puts it back.
  const stale = `${mine}-stale`
  await rename(lock, stale).catch(nothing)
  const moved = await readFile(stale, "utf8").catch(nothing)
  if (moved !== "" && moved !== holder) await linked(stale, lock)
  await rm(stale, { force: true })
  if (!(await linked(mine, lock))) throw inUse(lock, await readFile(lock, "utf8").catch(nothing))
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false
    throw error
  }
}

/** A lock that does not parse names nobody and holds nothing. */
async function isHeld(holder: string): Promise<boolean> {
  const [, id, start] = /^(\d{1,10}) (\S+)\n$/.exec(holder) ?? []
  if (!id || !start) return false
  const now = await startOf(Number(id))
  return start === UNKNOWN || now === UNKNOWN ? isAlive(Number(id)) : now === start
}

/** `<boot id>/<clock ticks>` where the kernel has /proc, "-" elsewhere; null if there is no such process. */
async function startOf(id: number): Promise<string | null> {
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(nothing)
  if (boot === "") return UNKNOWN
  const status = await readFile(`/proc/${id}/stat`, "utf8").catch(nothing)
  // proc_pid_stat(5): field 22, counted from after the command's name, which may hold spaces and brackets.
  const start = status.slice(status.lastIndexOf(")") + 2).split(" ")[19]
  return start === undefined ? null : `${boot.trim()}/${start}`
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, "w", 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

// A file that is not there, or is gone again, says nothing.
function nothing(): string {
  return ""
}

class HeldElsewhere extends Error {}

/** Is this the fault of a directory that another process has? */
export function isInUse(error: unknown): error is Fault {
  return isFault(error) && error.cause instanceof HeldElsewhere
}

function inUse(lock: string, holder: string): Fault {
  const id = /^\d+/.exec(holder)?.[0] ?? "unknown"
  return new Fault(
    "usage",
    `disk: ${lock.slice(0, -"/lock".length)} is in use by process ${id}: stop it, or choose another folder`,
    { cause: new HeldElsewhere(holder) },
  )
}
