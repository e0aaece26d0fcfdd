import { execFile } from "node:child_process"
import { isFault, messageOf } from "../../firmware/errors.ts"
import { type DeadCamera, lookAtDisk } from "./dead-camera.ts"
import type { Paths } from "./paths.ts"
import { type OpenPorts, portsOfMachine, portsOfProcess } from "./ports-open.ts"
import { type CameraStatus, isCurrent, readStatus } from "./status-file.ts"
import { type Swap, swapOf } from "./swap.ts"

/** Everything `obscura-camera status` knows: of a camera that runs, or of what a dead one left. */
export interface StatusReport {
  readonly running: boolean
  /** Of a running camera what it says now; of one that does not run, what it said last, if that is still there. */
  readonly said: CameraStatus | null
  /** Of one that does not run: what is on its disk; null also when that is not ours to read. */
  readonly left: DeadCamera | null
  /** Why `left` is not known. */
  readonly unreadable: string | null
  readonly ports: {
    /** On which the camera hears anybody; null: not ours to see. There is none, ever. */
    readonly camera: OpenPorts | null
    readonly machine: OpenPorts
  }
  readonly swap: Swap
  /** systemd's word on SSH; null: no systemd to ask. */
  readonly ssh: { readonly running: boolean; readonly atBoot: boolean } | null
}

const NONE: OpenPorts = { tcp: [], udp: [] }

/** @throws Fault "usage", definite: what the camera says is not ours to read. */
export async function statusReport(
  paths: Pick<Paths, "state" | "runtime">,
  env: NodeJS.ProcessEnv,
): Promise<StatusReport> {
  const said = await readStatus(paths.runtime)
  const running = said !== null && (await isCurrent(said))
  const { left, unreadable } = running ? { left: null, unreadable: null } : await leftOn(paths.state)
  return {
    ...{ running, said, left, unreadable },
    ports: {
      camera: running ? await portsOfProcess(said.process) : NONE,
      machine: await portsOfMachine(),
    },
    swap: await swapOf(running ? said.process : null),
    ssh: await sshOf(env),
  }
}

async function leftOn(state: string): Promise<Pick<StatusReport, "left" | "unreadable">> {
  try {
    return { left: await lookAtDisk(state), unreadable: null }
  } catch (error) {
    if (!isFault(error)) throw error
    return { left: null, unreadable: messageOf(error) }
  }
}

const SSH_UNITS = ["ssh.service", "ssh.socket"]

async function sshOf(env: NodeJS.ProcessEnv): Promise<StatusReport["ssh"]> {
  const [active, enabled] = await Promise.all([
    systemctl(["is-active", ...SSH_UNITS], env),
    systemctl(["is-enabled", ...SSH_UNITS], env),
  ])
  if (active === null || enabled === null) return null
  return { running: active.includes("active"), atBoot: enabled.some((each) => /^enabled/.test(each)) }
}

/** Its lines, one a unit, whatever its exit code says of them; null: there is none, or it has nobody to ask. */
function systemctl(words: readonly string[], env: NodeJS.ProcessEnv): Promise<string[] | null> {
  return new Promise((resolve) => {
    execFile("systemctl", [...words], { env, timeout: 5_000 }, (_error, output) => {
      const lines = output.split("\n").filter((line) => line !== "")
      resolve(lines.length === 0 ? null : lines)
    })
  })
}
