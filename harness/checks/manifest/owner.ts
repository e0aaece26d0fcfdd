import { randomBytes } from "node:crypto"
import type { ObjectEntry } from "../../../firmware/control/protocol.ts"
import { sealAge } from "../../../firmware/delivery/age.ts"
import { parseRecipient } from "../../../firmware/delivery/recipient.ts"
import { identityFromText, newHouseholdIdentity } from "../../owner/age-identity.ts"
import { readChain } from "../../owner/chain-view.ts"
import { NOTHING_SEEN, readTail } from "../../owner/tail.ts"
import { type ObjectSource, Vault } from "../../owner/vault.ts"
import { type Run, Tries } from "../check.ts"
import { heartbeatOf, manifestOf, newKey, type TestManifest } from "../worlds/hand-camera.ts"

/** What an owner makes of a chain that a cloud shows, which is not trusted. */
export const checks = {
  "swapped-object": async () => {
    const tries = new Tries()
    const { vault, shelf, manifests } = await vaultOf(3)
    const { clips } = await vault.view()
    const objects = clips.flatMap(({ segments }) => segments)
    const [first, second, third] = manifests.map(({ objects: [one] }) => one?.entry.id ?? "")
    for (const object of objects) await vault.open(object)
    const bytes = shelf.get(first ?? "") ?? Buffer.alloc(0)
    const wrong: readonly (readonly [string, Buffer])[] = [
      ["another's bytes", shelf.get(second ?? "") ?? Buffer.alloc(0)],
      ["cut by a byte", bytes.subarray(0, -1)],
      ["one byte more", Buffer.concat([bytes, Buffer.alloc(1)])],
      ["a bit of its header", flipped(bytes, 30)],
      ["a bit of its payload", flipped(bytes, bytes.length - 40)],
      ["noise", randomBytes(bytes.length)],
      // A header of somebody who knows the household's public key, before the payload as it was.
      [
        "another header",
        Buffer.concat([(shelf.get(third ?? "") ?? bytes).subarray(0, 168), bytes.subarray(168)]),
      ],
    ]
    for (const [what, stored] of wrong) {
      shelf.set(first ?? "", stored)
      const object = objects.find(({ entry }) => entry.id === first)
      if (object) await tries.refused(() => vault.sealed(object), what)
    }
    return tries
  },

  "key-commitment": async () => {
    const tries = new Tries()
    const { vault } = await vaultOf(2, { commit: "ab".repeat(32) })
    const { clips } = await vault.view()
    for (const object of clips.flatMap(({ segments }) => segments))
      await tries.refused(() => vault.open(object), "a file key that the manifest does not commit to")
    return tries
  },

  fates: async () => {
    const tries = new Tries()
    const { vault, shelf, manifests, receipted } = await vaultOf(4, {}, [2])
    const [, lost, , unheard] = manifests.map(({ objects: [one] }) => one?.entry.id ?? "")
    receipted.add(manifests[1]?.hash ?? "")
    for (const id of [lost, unheard, manifests[2]?.objects[0]?.entry.id]) shelf.delete(id ?? "")
    const { clips } = await vault.view()
    const fates = clips.flatMap(({ segments }) => segments.map(({ fate }) => fate))
    for (const [at, fate] of [
      "received",
      "lost by the cloud",
      "dropped by the camera",
      "not heard of",
    ].entries())
      tries.is(fates[at], fate, `what the vault says of an object that is ${fate}`)
    return tries
  },

  "tail-withheld": async () => {
    const tries = new Tries()
    const { camera, manifests } = await vaultOf(10)
    const envelopes = manifests.map(({ envelope }) => envelope)
    const beat = heartbeatOf(camera, { newest: 9, head: manifests[9]?.hash ?? "" })
    for (let shown = 0; shown <= 10; shown++) {
      const { alerts } = readTail(readChain(envelopes.slice(0, shown), camera), beat, camera, NOTHING_SEEN, 1)
      const withheld = alerts.filter(({ kind }) => kind === "withheld").length
      tries.is(withheld, shown < 10 ? 1 : 0, `alerts with ${shown} of 10 entries shown`)
    }
    const all = readTail(readChain(envelopes, camera), null, camera, NOTHING_SEEN, 1)
    const less = readTail(readChain(envelopes.slice(0, 4), camera), null, camera, all.seen, 2)
    tries.is(
      less.alerts.map(({ kind }) => kind),
      ["shows less"],
      "alerts when the cloud shows less than before",
    )
    const forged = heartbeatOf(newKey(), { device: camera.id, newest: 99 })
    const fooled = readTail(readChain(envelopes, camera), forged, camera, all.seen, 3)
    tries.is(fooled.seen.announced, null, "what a forged heartbeat announced")
    return tries
  },
} satisfies Readonly<Record<string, Run>>

/** A camera's chain of so many clips of one segment, on a shelf that can be tampered with. */
async function vaultOf(clips: number, over: Partial<ObjectEntry> = {}, dropped: readonly number[] = []) {
  const camera = newKey()
  const household = await newHouseholdIdentity("x25519")
  const recipient = parseRecipient(household.recipientText)
  const shelf = new Map<string, Buffer>()
  const manifests: TestManifest[] = []
  for (let sequence = 0; sequence < clips; sequence++) {
    const age = await sealAge(randomBytes(500), recipient)
    const entry: ObjectEntry = {
      id: randomBytes(16).toString("hex"),
      kind: "segment",
      clip: randomBytes(16).toString("hex"),
      index: 0,
      last: true,
      headerBytes: age.header.length,
      payloadBytes: age.payloadBytes,
      headerHash: age.headerHash,
      payloadHash: age.payloadHash,
      commit: age.commit,
      ...over,
    }
    const bytes = Buffer.concat([age.header, ...age.payload])
    shelf.set(entry.id, bytes)
    const previous = manifests.at(-1)?.hash ?? "0".repeat(64)
    manifests.push(manifestOf(camera, [{ entry, bytes }], { sequence, previous }))
  }
  const drops = dropped.map((at) => ({ kind: "drop" as const, from: at, to: at, cause: "full" as const }))
  const last = manifestOf(camera, [], {
    sequence: clips,
    previous: manifests.at(-1)?.hash ?? "",
    entries: drops,
  })
  const shown = drops.length > 0 ? [...manifests, last] : manifests
  const receipted = new Set<string>()
  const source: ObjectSource = {
    manifests: async () => shown.map(({ envelope }) => envelope),
    has: async (id) => shelf.has(id),
    object: async (id) => shelf.get(id) ?? null,
    receipted: async () => receipted,
  }
  const vault = new Vault(source, camera, identityFromText(household.secretText))
  return { camera, vault, shelf, manifests, receipted }
}

function flipped(bytes: Buffer, at: number): Buffer {
  const bent = Buffer.from(bytes)
  bent[at] = (bent[at] ?? 0) ^ 1
  return bent
}
