import { begin as beginCloud } from "../bench/cloud-work.ts"
import { neitherSignNorVerifyManifests } from "../unsafe/unsigned-manifests.ts"

/** The cloud's side of a plain fleet: it hashes and stores as ever, and asks for no signature of a manifest. */
export async function begin(options: { readonly tls: boolean }) {
  neitherSignNorVerifyManifests()
  return beginCloud(options)
}
