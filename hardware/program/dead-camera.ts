import { readdir, readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import { signingKeyOf } from "../../firmware/control/keys.ts"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { type Holdings, holdingsOf } from "./watched-disk.ts"

/** What a camera that does not run has left on its disk. */
export interface DeadCamera {
  /** null: it has made no key yet. */
  readonly device: string | null
  readonly paired: boolean
  readonly spool: Holdings
  /** When it last wrote anything. */
  readonly lastWroteAt: Date | null
}

const identityShape = z.looseObject({ seed: z.string().regex(/^[0-9a-f]{64}$/) })

/**
 * Only reads: it takes no lock and makes no folder, so a camera may begin meanwhile. null: nothing is there.
 * @throws Fault "usage", definite: not ours to read.
 */
export async function lookAtDisk(state: string): Promise<DeadCamera | null> {
  const data = await entriesOf(join(state, "data"))
  const hidden = await entriesOf(join(state, "private"))
  if (!data || !hidden) return null
  const times = [...data, ...hidden].map(({ at }) => at.getTime())
  return {
    device: await deviceIn(join(state, "private/identity")),
    paired: hidden.some(({ name }) => name === "pairing"),
    spool: holdingsOf(data.map(({ name, size }) => [name, size])),
    lastWroteAt: times.length === 0 ? null : new Date(times.reduce((a, b) => Math.max(a, b))),
  }
}

interface Entry {
  readonly name: string
  readonly size: number
  readonly at: Date
}

async function entriesOf(folder: string): Promise<Entry[] | null> {
  try {
    const entries: Entry[] = []
    for (const name of await readdir(folder)) {
      const found = await stat(join(folder, name)).catch(() => null)
      if (found?.isFile() && !name.startsWith("_")) entries.push({ name, size: found.size, at: found.mtime })
    }
    return entries
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return null
    throw new Fault("usage", `${folder}: cannot be read (${messageOf(cause)}); put sudo before this`, {
      cause,
    })
  }
}

/** The key's hash is the name; of the key itself nothing leaves this function. */
async function deviceIn(file: string): Promise<string | null> {
  const text = await readFile(file, "utf8").catch(() => null)
  if (text === null) return null
  try {
    return signingKeyOf(Buffer.from(identityShape.parse(JSON.parse(text)).seed, "hex")).id
  } catch {
    // Whatever is wrong with it, saying so might quote it.
    return null
  }
}
