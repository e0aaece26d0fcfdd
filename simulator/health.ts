import type { Health, HealthReading } from "../firmware/ports.ts"

const HEALTHY: HealthReading = { temperatureCelsius: 48, undervoltage: false, throttled: false }

/** What `script` says at each reading: a virtual camera can run hot or short of power whenever a scenario likes. */
export function scriptedHealth(script: () => HealthReading = () => HEALTHY): Health {
  return { read: async () => script() }
}
