import { spawn } from "node:child_process"
import { Fault, messageOf } from "../../firmware/errors.ts"
import type { Milliseconds } from "../../firmware/units.ts"

/** systemd, when it is what started this process; otherwise nobody listens, and all of this does nothing. */
export interface ServiceManager {
  /** How often it wants to hear `alive`, or it ends this process; null: it does not ask. */
  readonly watchdog: Milliseconds | null
  ready(): Promise<void>
  alive(): Promise<void>
  stopping(): Promise<void>
  /** One line for `systemctl status`. */
  status(text: string): Promise<void>
}

/**
 * By the `systemd-notify` executable: sd_notify(3) wants a datagram on a UNIX socket, which node has none of. The unit
 * says NotifyAccess=all, for it is a child that speaks.
 *
 * Each call rejects with Fault "unavailable", definite, when it could not be told.
 */
export function serviceManager(env: NodeJS.ProcessEnv): ServiceManager {
  if (!env.NOTIFY_SOCKET)
    return { watchdog: null, ready: nobody, alive: nobody, stopping: nobody, status: nobody }
  return {
    watchdog: watchdogOf(env),
    ready: () => notify(env, "READY=1"),
    alive: () => notify(env, "WATCHDOG=1"),
    stopping: () => notify(env, "STOPPING=1"),
    status: (text) => notify(env, `STATUS=${text.replaceAll("\n", " ")}`),
  }
}

async function nobody(): Promise<void> {
  return undefined
}

/** sd_watchdog_enabled(3): microseconds, and whom they are meant for. */
function watchdogOf(env: NodeJS.ProcessEnv): Milliseconds | null {
  const whole = Number(env.WATCHDOG_USEC) / 1_000
  const isOurs = env.WATCHDOG_PID === undefined || env.WATCHDOG_PID === String(process.pid)
  return isOurs && whole > 0 && Number.isFinite(whole) ? whole / 2 : null
}

function notify(env: NodeJS.ProcessEnv, assignment: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) =>
      reject(new Fault("unavailable", `systemd-notify ${assignment}: ${why}`, { cause }))
    const child = spawn("systemd-notify", [assignment], { env, stdio: "ignore", timeout: 5_000 })
    child.on("error", (cause) => fail(messageOf(cause), cause))
    child.on("close", (code) => (code === 0 ? resolve() : fail(`exit ${code}`)))
  })
}
