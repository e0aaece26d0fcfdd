import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

/** For `node --import`: Node 20 runs no TypeScript. */
export const TYPESCRIPT = new URL("../harness/typescript/register.js", import.meta.url).href

/** The repository's root. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * Test data that is not part of the project lies beside it. Where it is missing a test skips and says so;
 * in CI missing is a failure, so these throw.
 */
export function sharedData(path: string): string | null {
  return present(
    join(root, "..", "shared", "data", path),
    existsSync(join(root, "..", "shared", "data", path)),
  )
}

/** The name of a command-line judge (age, ffprobe, mosquitto…) if it is installed. The same rule as for data. */
export function judge(command: string): string | null {
  const found = spawnSync("sh", ["-c", `command -v ${command} || ls /usr/sbin/${command}`], {
    encoding: "utf8",
  })
  return present(command, found.status === 0) && found.stdout.trim()
}

function present(what: string, here: boolean): string | null {
  if (here) return what
  if (process.env.CI === "true") throw new Error(`${what} is missing, and in CI that is a failure`)
  console.warn(`skipped: ${what} is missing`)
  return null
}
