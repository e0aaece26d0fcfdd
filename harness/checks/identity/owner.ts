import { Decrypter, Encrypter } from "age-encryption"
import { sha256Hex } from "../../../firmware/control/keys.ts"
import { newHouseholdIdentity } from "../../owner/age-identity.ts"
import { OwnerKeys } from "../../owner/keys.ts"
import { type BeatSource, recover } from "../../owner/recovery.ts"
import { type Run, Tries } from "../check.ts"
import { heartbeatOf, newKey } from "../worlds/hand-camera.ts"

const PASSPHRASE = "correct horse"

export const checks = {
  "owner-per-camera": async () => {
    const tries = new Tries()
    const keys = await OwnerKeys.create()
    const devices = Array.from({ length: 5 }, () => newKey().id)
    const seen = new Set([...devices.map((device) => keys.signingKeyFor(device).id), keys.bookKey.id])
    tries.is(
      seen.size,
      devices.length + 1,
      "keys by which a cloud knows one owner of five cameras, and the book",
    )
    const again = await OwnerKeys.fromRecoveryKit(keys.recoveryKit)
    for (const device of devices)
      tries.is(
        again.signingKeyFor(device).id,
        keys.signingKeyFor(device).id,
        "a key that does not follow from the root",
      )
    return tries
  },

  "root-wrapped": async () => {
    const tries = new Tries()
    cheapScrypt()
    const keys = await OwnerKeys.create()
    const factor = await newHouseholdIdentity("x25519")
    const kit = keys.recoveryKit
    const hides = (bytes: Uint8Array | string, what: string) => {
      const text = Buffer.from(bytes)
      tries.holds(!text.includes(kit) && !text.includes("OBSCURA-ROOT"), what)
    }
    hides(await keys.wrap(PASSPHRASE), "the file shows the root to whoever has it")
    const both = await keys.wrap(PASSPHRASE, factor.recipientText)
    hides(both, "the file shows the root to whoever has it")
    hides(await decrypted(both, PASSPHRASE), "the passphrase alone shows the root")
    await tries.refused(
      () => OwnerKeys.unwrap(both, "another", async () => factor.secretText),
      "a wrong passphrase",
    )
    const wrong = (await newHouseholdIdentity("x25519")).secretText
    await tries.refused(() => OwnerKeys.unwrap(both, PASSPHRASE, async () => wrong), "another second factor")
    const opened = await OwnerKeys.unwrap(both, PASSPHRASE, async () => factor.secretText)
    tries.holds(opened.recoveryKit === kit, "passphrase and factor together open something else")
    return tries
  },

  "restored-from-root": async () => {
    const tries = new Tries()
    const [keys, others] = [await OwnerKeys.create(), await OwnerKeys.create()]
    const [own, foreign, forged, retold] = [newKey(), newKey(), newKey(), newKey()]
    const recipients = (device: string, by = keys) => sha256Hex(by.recipientsFor(device, 1))
    const beat = (camera: typeof own, of: string, by = keys, signer = camera) =>
      heartbeatOf(signer, {
        device: of,
        key: camera.hex,
        owner: by.signingKeyFor(of).id,
        recipients: recipients(of, by),
      })
    const beats = new Map([
      [own.id, beat(own, own.id)],
      [foreign.id, beat(foreign, foreign.id, others)],
      // In the owner's name, by somebody who is not that camera; and another camera's word in this one's place.
      [forged.id, beat(forged, forged.id, keys, newKey())],
      [retold.id, beat(own, own.id)],
    ])
    const keysOf = new Map([own, foreign, forged, retold].map((camera) => [camera.id, camera.hex]))
    const source: BeatSource = {
      devices: () => [...beats.keys()],
      envelope: (device) => beats.get(device) ?? null,
      latest: (device) => ({ key: keysOf.get(device) ?? "" }),
    }
    const found = await recover(await OwnerKeys.fromRecoveryKit(keys.recoveryKit), NOTHING, source)
    const devices = found.household.book.cameras.map(({ device }) => device)
    tries.is(devices.includes(own.id), true, "the household's own camera was not found")
    for (const device of [foreign.id, forged.id, retold.id])
      tries.is(devices.includes(device), false, "a camera that is not the household's was found")
    tries.is(found.unlisted, [own.id], "cameras found by their heartbeats")
    tries.is(found.lostKeys, [], "cameras that seal for a key which nobody has")
    return tries
  },
} satisfies Readonly<Record<string, Run>>

const NOTHING = {
  manifests: async () => [],
  has: async () => false,
  object: async () => null,
  receipted: async () => new Set<string>(),
}

/** scrypt is slow on purpose; what it costs is not what is checked here. */
function cheapScrypt(): void {
  const { setPassphrase } = Encrypter.prototype
  Encrypter.prototype.setPassphrase = function (text) {
    setPassphrase.call(this, text)
    this.setScryptWorkFactor(10)
  }
}

async function decrypted(file: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const decrypter = new Decrypter()
  decrypter.addPassphrase(passphrase)
  return decrypter.decrypt(file)
}
