import { cp, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { signingKeyOf } from "../../../firmware/control/keys.ts"
import { AccessLog } from "../../cloud/log/access-log.ts"
import { type LogIdentity, originOf } from "../../cloud/log/checkpoint.ts"
import { folderSource, type LogSource } from "../../cloud/log/log-source.ts"
import type { AccessRecord } from "../../cloud/log/records.ts"
import { type LogLook, type LogView, readLog } from "../../owner/log.ts"
import type { SeenLog } from "../../owner/log-memory.ts"
import { Tries } from "../check.ts"

export const LOG_KEY = signingKeyOf(Buffer.alloc(32, 3))
export const LOG: LogIdentity = { origin: originOf("cloud.example"), key: LOG_KEY }
export const [OURS, THEIRS] = ["01".padEnd(40, "d"), "02".padEnd(40, "d")] as const

/** The n-th access, to one of two cameras. */
export function accessTo(device: string, n: number): AccessRecord {
  return {
    kind: "ciphertext read",
    device,
    at: 1_700_000_000_000 + n,
    by: { role: "support", key: null },
    reason: `visit ${n}`,
    objects: [n.toString(16).padStart(32, "0")],
  }
}

export const accesses = (from: number, to: number): readonly AccessRecord[] =>
  Array.from({ length: to - from }, (_, i) => accessTo((from + i) % 3 === 0 ? THEIRS : OURS, from + i))

/** Logs in folders of their own, which go with `close`. */
export class LogFolders {
  readonly #all: string[] = []

  async make(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "obscura-checks-"))
    this.#all.push(folder)
    return join(folder, "log")
  }

  open(directory: string): Promise<AccessLog> {
    return AccessLog.open({ directory, origin: LOG.origin, key: LOG_KEY })
  }

  /** `records` one after another, in a log of their own or at the end of another. */
  async logOf(
    records: readonly AccessRecord[],
    at?: string,
  ): Promise<LogSource & { readonly directory: string }> {
    const directory = at ?? (await this.make())
    const log = await this.open(directory)
    for (const record of records) await log.append(record)
    await log.close()
    return { directory, ...folderSource(directory) }
  }

  async copyOf(log: string): Promise<string> {
    const copy = await this.make()
    await copyLog(log, copy)
    return copy
  }

  async close(): Promise<void> {
    for (const folder of this.#all.splice(0)) await rm(folder, { recursive: true, force: true })
  }
}

/** Logs for one check, and what it counts. */
export async function withLogs(work: (tries: Tries, folders: LogFolders) => Promise<void>): Promise<Tries> {
  const tries = new Tries()
  const folders = new LogFolders()
  try {
    await work(tries, folders)
    return tries
  } finally {
    await folders.close()
  }
}

/** As the owner of `OURS` looks. */
export function look(
  source: LogSource,
  before: SeenLog | null = null,
  more: Partial<LogLook> = {},
): Promise<LogView> {
  return readLog(source, { log: LOG, devices: [OURS], before, traces: [], now: 1_700_000_000_000, ...more })
}

export const kindsOf = ({ alerts }: LogView): readonly string[] => alerts.map(({ kind }) => kind)

/** A log that publishes meanwhile renames and removes files under the copier's feet: then it begins anew. */
export async function copyLog(from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries++)
    try {
      return await cp(from, to, { recursive: true, filter: (path) => !path.endsWith("/lock") })
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT") || tries === 20) throw error
      await rm(to, { recursive: true, force: true })
    }
}
