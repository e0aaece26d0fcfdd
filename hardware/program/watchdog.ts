import { Fault } from "../../firmware/errors.ts"
import type { Clock } from "../../firmware/ports.ts"
import type { ServiceManager } from "./service-manager.ts"

export interface WatchdogParts {
  readonly manager: ServiceManager
  readonly clock: Clock
  /** Why the camera is not alive; null: it is. */
  readonly stuck: () => string | null
  readonly report: (error: unknown) => void
}

/**
 * Feeds systemd's watchdog for as long as the camera is alive, and says once why it is not; systemd then ends this
 * process and starts it again. The returned function stops.
 */
export function feedWatchdog({ manager, clock, stuck, report }: WatchdogParts): () => void {
  const { watchdog } = manager
  if (watchdog === null) return () => undefined
  let said = false
  const feed = () => {
    const reason = stuck()
    if (reason === null) manager.alive().catch(report)
    else if (!said) report(new Fault("broken", `${reason}: systemd will start this camera again`))
    said = reason !== null
    cancel = clock.after(watchdog, feed)
  }
  let cancel = clock.after(watchdog, feed)
  return () => cancel()
}
