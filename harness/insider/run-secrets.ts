import { bech32 } from "@scure/base"
import { parseSetupText } from "../../firmware/control/pairing.ts"
import type { Owner } from "../load/pairing.ts"
import type { OwnerKeys } from "../owner/keys.ts"
import type { Home } from "./home.ts"
import type { Secret } from "./secret-search.ts"
import type { World } from "./world.ts"

/** Owners whose secrets are looked for. A mistake that writes one down does not choose whose. */
const OWNERS_MAX = 50

/**
 * The exact secrets of a run, as far as the harness knows them: owners' roots, household keys and books, setup codes,
 * cameras' own keys, and the passwords with which these connected.
 */
export async function secretsOf({
  homes,
  others,
}: Pick<World, "homes" | "others">): Promise<readonly Secret[]> {
  const owners = [...homes, ...others].slice(0, OWNERS_MAX)
  const ofCameras = await Promise.all(homes.map(ofDisk))
  return [
    ...owners.flatMap(({ keys, index }) => ofOwner(keys, index)),
    ...others.slice(0, OWNERS_MAX).flatMap(ofPairing),
    ...ofCameras.flat(),
    ...homes.flatMap(ofWire),
  ]
}

function ofOwner(keys: OwnerKeys, index: number): readonly Secret[] {
  return [
    { name: `the root of owner ${index}`, bytes: fromBech32(keys.recoveryKit) },
    { name: `the household key of owner ${index}`, bytes: fromBech32(keys.householdSecret) },
    { name: `the book's key of owner ${index}`, bytes: fromBech32(keys.bookSecret) },
  ]
}

/** What the QR code held that the camera was shown. */
function ofPairing({ setup, index }: Owner): readonly Secret[] {
  return setup === undefined
    ? []
    : [{ name: `the setup code of camera ${index}`, bytes: parseSetupText(setup).secret }]
}

/** Signatures that a camera gave as its password: on plain TCP whoever has one could connect by it. */
function ofWire({ wire, index }: Home): readonly Secret[] {
  const passwords = Buffer.concat(wire.sent.slice(0, 20))
    .toString("latin1")
    .matchAll(/obscura\.connect\.v1\+json"[^}]*?"sig":"([A-Za-z0-9+/=]{88})"/g)
  return [...passwords].map(([, sig = ""]) => ({
    name: `a password of camera ${index}`,
    bytes: Buffer.from(sig, "base64"),
  }))
}

/** What a camera has for itself alone: the seed of its key. */
async function ofDisk({ board, index }: Home): Promise<readonly Secret[]> {
  const stored = await board.disk.private.get("identity")
  const seed = /"seed":"([0-9a-f]{64})"/.exec(Buffer.from(stored ?? new Uint8Array()).toString())?.[1]
  if (seed === undefined) throw new Error("a camera without a key of its own")
  return [{ name: `the key of camera ${index}`, bytes: Buffer.from(seed, "hex") }]
}

function fromBech32(text: string): Uint8Array {
  return bech32.fromWords(bech32.decode(text.toLowerCase() as `${string}1${string}`, false).words)
}
