import { type FleetOptions, startFleet } from "../bench/busy-fleet.ts"
import { runPlainCamera } from "../unsafe/plain-camera.ts"
import { PLAIN_HEADER } from "../unsafe/plain-sealer.ts"
import { neitherSignNorVerifyManifests } from "../unsafe/unsigned-manifests.ts"

/** The same fleet without cipher, age header and signature; SHA-256, chain, padding and receipts stay. */
export async function begin(options: FleetOptions) {
  neitherSignNorVerifyManifests()
  return startFleet(options, {
    run: runPlainCamera,
    countedBytes: (uploadedBytes) => uploadedBytes - PLAIN_HEADER.length,
  })
}
