import { type SigningKey, sha256Hex } from "../../../firmware/control/keys.ts"
import { identityFromText, newHouseholdIdentity } from "../../owner/age-identity.ts"
import { Household } from "../../owner/household.ts"
import { EMPTY_BOOK, withCamera, withKey, withMember, withoutMember } from "../../owner/household-book.ts"
import { checkHousehold, confirmedBy } from "../../owner/household-check.ts"
import { OwnerKeys } from "../../owner/keys.ts"
import { withKeyForAll } from "../../owner/rotation.ts"
import { Vault } from "../../owner/vault.ts"
import { type Run, Tries } from "../check.ts"
import { heartbeatOf, manifestOf, newKey, randomObject } from "../worlds/hand-camera.ts"

const NOW = Date.UTC(2026, 0, 1)

/** What an owner makes of whom a camera seals for. */
export const checks = {
  "removal-confirmed": async () => {
    const tries = new Tries()
    const { camera, household, hashes, beat, look } = await removed()
    for (const said of [beat(1), null]) {
      const kinds = (await look([1, 1], said)).map(({ kind }) => kind)
      tries.is(kinds, ["unconfirmed"], "what an owner is told before a heartbeat names the new epoch")
    }
    tries.is(await look([1, 1, 2], beat(2)), [], "what an owner is told after it did")
    const recipients = hashes[1] ?? ""
    const words: readonly [string, Uint8Array | null, number][] = [
      ["the camera's own", beat(2), 2],
      ["the camera's own, of recipients nobody signed", beat(2, { recipients: "ee".repeat(32) }), 0],
      ["the camera's own, of the older recipients", beat(1, { epoch: 2 }), 0],
      ["a stranger's", heartbeatOf(newKey(), { device: camera.id, epoch: 2, recipients }), 0],
      ["nobody's", null, 0],
    ]
    for (const [whose, said, epoch] of words)
      tries.is(
        confirmedBy(said, camera, household),
        epoch,
        `the epoch that a heartbeat confirms which is ${whose}`,
      )
    return tries
  },

  "late-is-flagged": async () => {
    const tries = new Tries()
    const { beat, look } = await removed()
    // The cloud had shown two clips when Anna was removed.
    for (const [sealedFor, late] of [
      [[1, 1, 2, 2], 0],
      [[1, 1, 1, 1, 2], 2],
      [[1, 1, 1], 1],
    ] as const) {
      const alerts = await look(sealedFor, beat(2))
      const flagged = alerts.flatMap((alert) => (alert.kind === "sent late" ? alert.clips : []))
      tries.is(flagged.length, late, `clips flagged of ${sealedFor.join(" ")}`)
    }
    return tries
  },

  "rotation-is-fresh": async () => {
    const tries = new Tries()
    const kit = (await OwnerKeys.create()).recoveryKit
    const rotated = await Promise.all(
      [1, 2].map(async () => {
        const { secretText } = await newHouseholdIdentity("x25519")
        return Household.of(await OwnerKeys.fromRecoveryKit(kit), withKey(EMPTY_BOOK, secretText, NOW))
      }),
    )
    const root = await Household.of(await OwnerKeys.fromRecoveryKit(kit), EMPTY_BOOK)
    const known = new Set([root.recipient, ...rotated.map(({ recipient }) => recipient)])
    tries.is(known.size, 3, "keys of one root, at first and after two rotations")
    const [one, other] = [newKey(), newKey()]
    const paired = [one, other].reduce((book, camera) => withCamera(book, camera, NOW), EMPTY_BOOK)
    const { secretText } = await newHouseholdIdentity("x25519")
    const seen = [{ device: one.id, newest: 7, epoch: 5 }]
    const { cameras } = withKeyForAll(withKey(paired, secretText, NOW), seen, NOW)
    const epochs = cameras.map((camera) => camera.epochs.at(-1))
    tries.is(
      epochs.map((epoch) => epoch?.epoch),
      [6, 2],
      "epochs signed for a camera at 5 and one at 1",
    )
    tries.is(
      epochs.map((epoch) => epoch?.newest),
      [7, -1],
      "what the cloud had shown by then",
    )
    return tries
  },

  "strangers-told": async () => {
    const tries = new Tries()
    const { camera, household, beat, look, viewOf } = await removed()
    const strange = { epoch: 3, recipients: "ee".repeat(32) }
    const manifest = manifestOf(camera, [randomObject(100)], strange)
    const told = checkHousehold(await viewOf([manifest]), beat(2, strange), camera, household)
    tries.is(
      told.map(({ kind }) => kind),
      ["unseen key", "unseen key"],
      "what is told of a key nobody signed",
    )
    const owner = "77".repeat(20)
    tries.is(
      (await look([1], beat(2, { owner }))).map(({ kind }) => kind),
      ["another owner"],
      "told of another owner",
    )
    const [session, grant] = ["ab".repeat(16), "ef".repeat(32)]
    const looks = [{ kind: "live" as const, session, grant, viewer: owner }]
    for (const [granted, kinds] of [
      [[], ["unseen viewer"]],
      [[grant], []],
    ] as const) {
      const view = { clips: [], epochs: [], looks }
      const alerts = checkHousehold(view, beat(2), camera, household, new Set(granted))
      tries.is(
        alerts.map(({ kind }) => kind),
        kinds,
        "told of who looked live",
      )
    }
    return tries
  },
} satisfies Readonly<Record<string, Run>>

/** Anna was removed when the cloud had shown two clips of one camera; epoch 2 is without her. */
async function removed() {
  const keys = await OwnerKeys.create()
  const camera = newKey()
  const { recipientText } = await newHouseholdIdentity("x25519")
  const { secretText } = await newHouseholdIdentity("x25519")
  const with_ = withCamera(
    withMember(EMPTY_BOOK, { name: "Anna", recipient: recipientText }, NOW),
    camera,
    NOW,
  )
  const without = withoutMember(with_, "Anna", NOW, secretText)
  const known = [{ device: camera.id, newest: 1, epoch: 1 }]
  const household = await Household.of(keys, withKeyForAll(without, known, NOW))
  const epochs = household.camera(camera.id)?.epochs ?? []
  const hashes = epochs.map((epoch) => sha256Hex(household.recipientsEnvelope(camera.id, epoch)))
  const owner = keys.signingKeyFor(camera.id).id
  const beat = (epoch: 1 | 2, over: object = {}) =>
    heartbeatOf(camera, { epoch, recipients: hashes[epoch - 1] ?? "", owner, ...over })
  const viewOf = (manifests: readonly { readonly envelope: Uint8Array }[]) =>
    viewThrough(
      camera,
      keys,
      manifests.map(({ envelope }) => envelope),
    )
  const look = async (sealedFor: readonly (1 | 2)[], said: Uint8Array | null) => {
    const manifests = sealedFor.map((epoch, sequence) =>
      manifestOf(camera, [randomObject(100)], { sequence, epoch, recipients: hashes[epoch - 1] ?? "" }),
    )
    return checkHousehold(await viewOf(manifests), said, camera, household)
  }
  return { camera, household, hashes, beat, look, viewOf }
}

function viewThrough(camera: SigningKey, keys: OwnerKeys, envelopes: readonly Uint8Array[]) {
  const source = {
    manifests: async () => envelopes,
    has: async () => true,
    object: async () => null,
    receipted: async () => new Set<string>(),
  }
  return new Vault(source, camera, identityFromText(keys.householdSecret)).view()
}
