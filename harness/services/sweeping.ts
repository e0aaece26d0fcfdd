import { access } from "node:fs/promises"
import { join } from "node:path"
import { type Milliseconds, minutes } from "../../firmware/units.ts"
import type { LogOfAccesses } from "../cloud/log/access-log.ts"

const SWEEP_EVERY: Milliseconds = minutes(1)

/**
 * Lets what is over go while the cloud in `cloud` runs, also when nobody works: clips whose consent has expired, posts
 * whose day has come, what support asked and was answered, and what a crash left. `onFault` hears what went wrong; it is tried again. The returned function ends it.
 */
export function keepSwept(
  cloud: string,
  log: LogOfAccesses,
  onFault: (error: unknown) => void,
): () => Promise<void> {
  const sweep = () => sweepServices(cloud, log).catch(onFault)
  let sweeping = sweep()
  const timer = setInterval(() => {
    sweeping = sweeping.then(sweep)
  }, SWEEP_EVERY)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await sweeping
  }
}

/** The services are loaded where there are any: most clouds have none. */
async function sweepServices(cloud: string, log: LogOfAccesses): Promise<void> {
  const isThere = await access(join(cloud, "services")).then(
    () => true,
    () => false,
  )
  if (!isThere) return
  const { openServices } = await import("./services.ts")
  const { labelling, neighbours, support, staff } = openServices(cloud, log)
  // One that is damaged keeps no other from letting go.
  const swept = await Promise.allSettled([
    labelling.intake.sweep(),
    neighbours.sweep(),
    support.boxes.sweep(Date.now()),
    staff.sweep(),
  ])
  for (const each of swept) if (each.status === "rejected") throw each.reason
}
