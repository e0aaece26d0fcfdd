import { runCamera } from "../../firmware/camera.ts"
import { type FleetOptions, startFleet } from "./busy-fleet.ts"

/** The fleet's side of `upload`: the firmware that ships. Its bytes are those of age payloads. */
export async function begin(options: FleetOptions) {
  return startFleet(options, {
    run: runCamera,
    countedBytes: (sealedBytes, headerBytes) => sealedBytes - headerBytes,
  })
}
