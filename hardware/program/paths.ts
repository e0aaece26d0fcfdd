import { stat } from "node:fs/promises"
import { join } from "node:path"
import type { Command } from "commander"
import { Fault } from "../../firmware/errors.ts"

/** Where one camera keeps its things. The defaults are the service's; a developer names folders of their own. */
export interface Paths {
  /** Key, owner and spool, 0700. */
  readonly state: string
  /** What `settings.ts` reads. */
  readonly settings: string
  /** The status file, and the pipes that a lens needs. Gone after a reboot. */
  readonly runtime: string
}

/** Models that were installed on this camera. */
export const modelsOf = ({ state }: Pick<Paths, "state">): string => join(state, "models")

export const PATHS: Paths = {
  state: "/var/lib/obscura",
  settings: "/etc/obscura/camera.json",
  runtime: "/run/obscura",
}

export function withPaths(command: Command): Command {
  return command
    .option("--state <dir>", "key, owner and sealed clips of this camera", PATHS.state)
    .option("--settings <file>", "what this camera is told", PATHS.settings)
    .option("--runtime <dir>", "its status file while it runs", PATHS.runtime)
}

/**
 * Files made by the wrong user would lock the service out of its own state, and root needs none of what a camera does.
 * Root may run a camera only in a folder of its own: somebody has named it.
 *
 * @throws Fault "usage", definite.
 */
export async function refuseWrongUser({ state }: Paths, user = process.getuid?.() ?? 0): Promise<void> {
  const owner = await ownerOf(state)
  if (user === 0 && (state === PATHS.state || (owner !== null && owner !== 0)))
    throw new Fault(
      "usage",
      "a camera does not run as root: start its service (sudo systemctl start obscura-camera), or put sudo -u obscura before this",
    )
  if (owner !== null && owner !== user)
    throw new Fault(
      "usage",
      `${state} is another user's: put sudo -u obscura before this, or choose another --state`,
    )
}

/** null: nothing is there yet, or it cannot be seen; whoever opens it says which. */
async function ownerOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ uid }) => uid,
    () => null,
  )
}
