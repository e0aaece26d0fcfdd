import crypto from "node:crypto"
import { syncBuiltinESMExports } from "node:module"
import { pae } from "../../firmware/control/dsse.ts"

/**
 * From now on nothing in this process signs a manifest or looks whether one is signed; all other signatures stay. The
 * envelope keeps its shape, with zeros where the signature would be.
 *
 * Firmware and cloud have no seam for this and need none: node's own functions are replaced under them.
 */
export function neitherSignNorVerifyManifests(): void {
  const { sign, verify } = crypto
  const unsign = (algorithm: null, message: Buffer, key: crypto.KeyObject) =>
    isManifest(message) ? NO_SIGNATURE : sign(algorithm, message, key)
  const believe = (algorithm: null, message: Buffer, key: crypto.KeyObject, signature: Buffer) =>
    isManifest(message) || verify(algorithm, message, key, signature)
  Object.assign(crypto, { sign: unsign, verify: believe })
  syncBuiltinESMExports()
}

const NO_SIGNATURE = Buffer.alloc(64)

// "DSSEv1 44 application/vnd.obscura.manifest.v1+json ": what is signed begins with its kind.
const EMPTY = pae("manifest", new Uint8Array(0))
const MANIFEST_PREFIX = EMPTY.subarray(0, EMPTY.length - "0 ".length)

function isManifest(message: Uint8Array): boolean {
  const prefix = Buffer.from(
    message.buffer,
    message.byteOffset,
    Math.min(message.length, MANIFEST_PREFIX.length),
  )
  return prefix.equals(MANIFEST_PREFIX)
}
