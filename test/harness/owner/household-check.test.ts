import { describe, expect, test } from "vitest"
import { type SigningKey, sha256Hex } from "../../../firmware/control/keys.ts"
import { identityFromText, newHouseholdIdentity } from "../../../harness/owner/age-identity.ts"
import { Household } from "../../../harness/owner/household.ts"
import {
  type Book,
  EMPTY_BOOK,
  withCamera,
  withConfirmed,
  withMember,
  withoutMember,
  withRetired,
} from "../../../harness/owner/household-book.ts"
import * as check from "../../../harness/owner/household-check.ts"
import { OwnerKeys } from "../../../harness/owner/keys.ts"
import { withKeyForAll } from "../../../harness/owner/rotation.ts"
import { Vault } from "../../../harness/owner/vault.ts"
import { mutant } from "../../mutants.ts"
import { heartbeatOf, manifestOf, newKey, randomObject } from "../cloud/camera.ts"

type Check = typeof check.checkHousehold
const PATH = "harness/owner/household-check.ts"
const NOW = Date.UTC(2026, 0, 1)
const keys = await OwnerKeys.create()
const { recipientText } = await newHouseholdIdentity("x25519")

interface Scene {
  readonly camera: SigningKey
  readonly household: Household
  readonly hashes: readonly string[]
  /** As the camera's heartbeat would be, of epoch 1 or 2. */
  beat(epoch: 1 | 2, over?: object): Uint8Array
  look(epochs: readonly (1 | 2)[], beat: Uint8Array | null, read?: Check): Promise<ReturnType<Check>>
}

/** Anna was removed when the cloud had shown two clips of one camera; epoch 2 is without her. */
async function scene(change: (book: Book, device: string) => Book = (book) => book): Promise<Scene> {
  const camera = newKey()
  const paired = withCamera(
    withMember(EMPTY_BOOK, { name: "Anna", recipient: recipientText }, NOW),
    camera,
    NOW,
  )
  const { secretText } = await newHouseholdIdentity("x25519")
  const without = withoutMember(paired, "Anna", NOW, secretText)
  const known = [{ device: camera.id, newest: 1, epoch: 1 }]
  const household = await Household.of(keys, change(withKeyForAll(without, known, NOW), camera.id))
  const epochs = household.camera(camera.id)?.epochs ?? []
  const hashes = epochs.map((epoch) => sha256Hex(household.recipientsEnvelope(camera.id, epoch)))
  const owner = keys.signingKeyFor(camera.id).id
  return {
    camera,
    household,
    hashes,
    beat: (epoch, over = {}) =>
      heartbeatOf(camera, { epoch, recipients: hashes[epoch - 1] ?? "", owner, ...over }),
    async look(sealedFor, beat, read = check.checkHousehold) {
      const manifests = sealedFor.map((epoch, sequence) =>
        manifestOf(camera, [randomObject(100)], { sequence, epoch, recipients: hashes[epoch - 1] ?? "" }),
      )
      return read(await viewOf(camera, manifests), beat, camera, household)
    },
  }
}

function viewOf(camera: SigningKey, manifests: readonly { readonly envelope: Uint8Array }[]) {
  const source = {
    manifests: async () => manifests.map(({ envelope }) => envelope),
    has: async () => true,
    object: async () => null,
    receipted: async () => new Set<string>(),
  }
  return new Vault(source, camera, identityFromText(keys.householdSecret)).view()
}

const bent = async (from: string, to: string) =>
  (await mutant<{ checkHousehold: Check }>(PATH, { path: PATH, from, to })).checkHousehold

describe("an owner who checks for whom a camera seals", () => {
  test("has nothing to say of what was shown before a removal, and sealed for the new key after it", async () => {
    const one = await scene()
    expect(await one.look([1, 1, 2, 2], one.beat(2))).toEqual([])
    expect(await one.look([1, 1], one.beat(2))).toEqual([])
  })

  async function flagsTheLate(read?: Check): Promise<void> {
    const one = await scene()
    const [alert, ...more] = await one.look([1, 1, 1, 1, 2], one.beat(2), read)
    expect(more).toEqual([])
    expect(alert).toMatchObject({ kind: "sent late", epoch: 2, removed: ["Anna"] })
    expect(alert?.kind === "sent late" && alert.clips.length).toBe(2)
  }

  test("is told which clips came late: sealed for the old key, and not shown when it was replaced", () =>
    flagsTheLate())

  test("is not bothered by late clips after a rotation that removed nobody", async () => {
    const one = await scene((book) => ({ ...book, members: [] }))
    expect(await one.look([1, 1, 1, 2], one.beat(2))).toEqual([])
  })

  async function waitsForTheHeartbeat(read?: Check): Promise<void> {
    const one = await scene()
    const waiting = { kind: "unconfirmed", epoch: 2, since: NOW, removed: ["Anna"] }
    expect(await one.look([1, 1], one.beat(1), read)).toEqual([waiting])
    expect(await one.look([1, 1], null, read)).toEqual([waiting])
  }

  test("holds a removal for unconfirmed until a signed heartbeat names the new epoch", () =>
    waitsForTheHeartbeat())

  test("remembers a confirmation when a cloud shows an older heartbeat again", async () => {
    const one = await scene((book, device) => withConfirmed(book, device, 2))
    expect(await one.look([1, 1], one.beat(1))).toEqual([])
  })

  test("waits for no camera that was retired", async () => {
    const one = await scene((book, device) => withRetired(book, device))
    expect(await one.look([1, 1], one.beat(1))).toEqual([])
  })

  async function believesTheCameraAlone(confirm = check.confirmedBy): Promise<void> {
    const one = await scene()
    const stranger = newKey()
    const { camera, household } = one
    expect(confirm(one.beat(2), camera, household)).toBe(2)
    expect(confirm(one.beat(2, { recipients: "ee".repeat(32) }), camera, household)).toBe(0)
    expect(confirm(one.beat(1, { epoch: 2 }), camera, household)).toBe(0)
    const forged = heartbeatOf(stranger, { device: camera.id, epoch: 2, recipients: one.hashes[1] ?? "" })
    for (const bytes of [forged, Buffer.from("{}"), null]) expect(confirm(bytes, camera, household)).toBe(0)
  }

  test("takes no other word for a confirmation than the camera's own, of recipients that it signed", () =>
    believesTheCameraAlone())

  async function seesStrangeKeys(read?: Check): Promise<void> {
    const one = await scene()
    const strange = { epoch: 3, recipients: "ee".repeat(32) }
    const manifest = manifestOf(one.camera, [randomObject(100)], strange)
    const view = await viewOf(one.camera, [manifest])
    const look = (beat: Uint8Array) => (read ?? check.checkHousehold)(view, beat, one.camera, one.household)
    expect(look(one.beat(2))).toEqual([{ kind: "unseen key", where: "manifest", ...strange }])
    expect(look(one.beat(2, strange)).map((alert) => alert.kind === "unseen key" && alert.where)).toEqual([
      "manifest",
      "heartbeat",
    ])
  }

  test("is told of recipients that it never signed, in what is sealed and in what the camera says", () =>
    seesStrangeKeys())

  async function seesAnotherOwner(read?: Check): Promise<void> {
    const one = await scene()
    const owner = "77".repeat(20)
    expect(await one.look([1], one.beat(2, { owner }), read)).toEqual([{ kind: "another owner", owner }])
  }

  test("is told when a camera obeys somebody else", () => seesAnotherOwner())

  async function seesStrangeViewers(read: Check = check.checkHousehold): Promise<void> {
    const one = await scene()
    const [viewer, session, grant] = ["77".repeat(20), "ab".repeat(16), "ef".repeat(32)]
    const owner = keys.signingKeyFor(one.camera.id).id
    const looks = (by: string) => [{ kind: "live" as const, session, grant, viewer: by }]
    const look = (by: string, granted: readonly string[]) => {
      const view = { clips: [], epochs: [], looks: looks(by) }
      return read(view, one.beat(2), one.camera, one.household, new Set(granted))
    }
    expect(look(owner, [])).toEqual([])
    expect(look(viewer, [grant])).toEqual([])
    expect(look(viewer, [])).toEqual([{ kind: "unseen viewer", viewer, session }])
  }

  test("is told who looked live by a grant that it never gave", () => seesStrangeViewers())

  test.each([
    [
      "counts what was shown before as late",
      flagsTheLate,
      "object.sequence > newest",
      "object.sequence >= newest",
    ],
    ["sees nothing late", flagsTheLate, "object.epoch === before.epoch", "object.epoch === epoch && false"],
    [
      "believes in a removal once it has signed it",
      waitsForTheHeartbeat,
      "confirmed >= newest.epoch",
      "true",
    ],
    [
      "does not look at what manifests name",
      seesStrangeKeys,
      ".filter(({ recipients, epoch }) =>",
      ".filter(({ recipients, epoch }) => false &&",
    ],
    [
      "does not look at what heartbeats name",
      seesStrangeKeys,
      "if (beat && signed.get",
      "if (!beat && signed.get",
    ],
    ["does not mind who looked", seesStrangeViewers, "!granted.has(grant)", "granted.has(grant)"],
    ["does not ask whom the camera obeys", seesAnotherOwner, "beat.owner !== owner", "!beat.owner && owner"],
  ])("one who %s is found out", async (_what, look, from, to) => {
    await expect(look(await bent(from, to))).rejects.toThrow(/expected/)
  })

  test.each([
    [
      "signatures",
      'verify("heartbeat", envelope, camera, heartbeatShape)',
      "(verify, heartbeatShape, JSON.parse(Buffer.from(JSON.parse(Buffer.from(envelope).toString()).payload, 'base64').toString()))",
    ],
    [
      "the recipients' hash",
      "get(beat.recipients)?.epoch === beat.epoch ? beat.epoch : 0",
      "get(beat.recipients)?.epoch || beat.epoch",
    ],
  ])("one who takes a confirmation without looking at %s is found out", async (_what, from, to) => {
    const { confirmedBy } = await mutant<typeof check>(PATH, { path: PATH, from, to })
    await expect(believesTheCameraAlone(confirmedBy)).rejects.toThrow(/expected/)
  })
})
