import { type CameraConfig, parseConfig } from "../firmware/config.ts"
import { type Bytes, type Milliseconds, seconds } from "../firmware/units.ts"
import { configFor } from "./board.ts"
import type { Footage } from "./footage.ts"

/** How the cameras of a fleet differ from what a camera is by itself. */
export interface FleetHabits {
  readonly heartbeatEvery?: Milliseconds
  readonly spoolBytesMax?: Bytes
}

/** How every camera of a fleet is configured. */
export function fleetConfig(footage: Footage, habits: FleetHabits = {}): CameraConfig {
  const { heartbeatEvery, spoolBytesMax } = habits
  return parseConfig({
    lens: configFor(footage),
    recording: { preRoll: seconds(3), postRoll: seconds(3) },
    spool: { keepReceivedBytes: 0, ...(spoolBytesMax === undefined ? {} : { bytesMax: spoolBytesMax }) },
    ...(heartbeatEvery === undefined ? {} : { link: { heartbeatEvery } }),
  })
}
