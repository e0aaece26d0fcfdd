import { chmod, readFile, rename, writeFile } from "node:fs/promises"
import { uptime } from "node:os"
import { join } from "node:path"
import { z } from "zod"
import { Fault } from "../../firmware/errors.ts"
import { STATES } from "../../firmware/pins/camera-state.ts"
import type { Seconds } from "../../firmware/units.ts"
import { isAlive } from "../is-alive.ts"

/**
 * What a running camera says of itself, in <runtime>/status.json: for `status`, and for whoever reads JSON. It holds no
 * key, but says which camera this is and when it records: who is at home. Its user and group may read it, and root.
 */
export const cameraStatus = z.strictObject({
  version: z.string(),
  process: z.int(),
  /** The kernel's boot, and the seconds since it when this was written: a wrong clock changes neither. */
  boot: z.string(),
  uptimeSeconds: z.number(),
  startedAt: z.iso.datetime(),
  writtenAt: z.iso.datetime(),
  state: z.enum([...STATES, "stopped"]),
  /** null: it has no key yet. */
  device: z.string().nullable(),
  paired: z.boolean(),
  broker: z.string().nullable(),
  connectedSince: z.iso.datetime().nullable(),
  lastDeliveredAt: z.iso.datetime().nullable(),
  spool: z.strictObject({ objects: z.int(), bytes: z.int(), waiting: z.int() }),
  freeBytes: z.number().nullable(),
  lens: z.string().nullable(),
  /** null: no model, or it has not started yet. */
  recognition: z
    .strictObject({
      family: z.string(),
      runtime: z.string(),
      memoryBytes: z.number(),
      pictures: z.int(),
      millisecondsPerPicture: z.number().nullable(),
      damagedKeyFrames: z.int(),
    })
    .nullable(),
  lastFault: z.strictObject({ at: z.iso.datetime(), where: z.string(), reason: z.string() }).nullable(),
  temperatureCelsius: z.number().nullable(),
  undervoltage: z.boolean().nullable(),
  throttled: z.boolean().nullable(),
})
export type CameraStatus = z.infer<typeof cameraStatus>

const MODE = 0o640

/** It is written at least every ten seconds: older than this, whoever wrote it is stuck. */
export const FRESH_FOR: Seconds = 30

/** Whole or not at all: `status` may read at any time. @throws as node does. */
export async function writeStatus(runtime: string, status: CameraStatus): Promise<void> {
  const path = fileIn(runtime)
  await writeFile(`${path}.new`, `${JSON.stringify(status)}\n`, { mode: MODE })
  await chmod(`${path}.new`, MODE) // whatever the service's umask is
  await rename(`${path}.new`, path)
}

/** null: there is none, or it is no status of ours. @throws Fault "usage", definite: not ours to read. */
export async function readStatus(runtime: string): Promise<CameraStatus | null> {
  const path = fileIn(runtime)
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EACCES") return ""
    throw new Fault("usage", `${path}: may be read by the camera's user and group; put sudo before this`, {
      cause,
    })
  })
  try {
    const read = cameraStatus.safeParse(JSON.parse(text))
    return read.success ? read.data : null
  } catch {
    // Not there, or not JSON: as good as nothing.
    return null
  }
}

/** Is whoever wrote this still there, and not long silent? */
export async function isCurrent(status: CameraStatus): Promise<boolean> {
  if (status.state === "stopped" || status.boot !== (await kernelBoot())) return false
  return isAlive(status.process) && uptime() - status.uptimeSeconds < FRESH_FOR
}

/** "-" where the kernel does not tell. */
export async function kernelBoot(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "-")).trim()
}

function fileIn(runtime: string): string {
  return join(runtime, "status.json")
}
