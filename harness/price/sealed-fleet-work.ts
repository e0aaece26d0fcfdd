import { runCamera } from "../../firmware/camera.ts"
import { CHUNK_BYTES, PAYLOAD_NONCE_BYTES, TAG_BYTES } from "../../firmware/delivery/age-payload.ts"
import type { Bytes } from "../../firmware/units.ts"
import { type FleetOptions, startFleet } from "../bench/busy-fleet.ts"

/** The firmware that ships. Its bytes are those of plaintext with padding, which is what both fleets have in common. */
export async function begin(options: FleetOptions) {
  return startFleet(options, {
    run: runCamera,
    countedBytes: (sealedBytes, headerBytes) => plaintextBytesOf(sealedBytes - headerBytes),
  })
}

/** The other way round than `payloadBytesOf`. */
export function plaintextBytesOf(payloadBytes: Bytes): Bytes {
  const chunked = payloadBytes - PAYLOAD_NONCE_BYTES
  return chunked - Math.ceil(chunked / (CHUNK_BYTES + TAG_BYTES)) * TAG_BYTES
}
