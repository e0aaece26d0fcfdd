import { bech32 } from "@scure/base"
import { sign } from "../../../firmware/control/dsse.ts"
import { openIdentity } from "../../../firmware/control/identity.ts"
import type { SigningKey } from "../../../firmware/control/keys.ts"
import { OwnershipFile } from "../../../firmware/control/ownership.ts"
import { parseRecipient } from "../../../firmware/delivery/recipient.ts"
import { isFault } from "../../../firmware/errors.ts"
import { minutes } from "../../../firmware/units.ts"
import { noFaults } from "../../../simulator/faults.ts"
import { identityFromText, newHouseholdIdentity } from "../../owner/age-identity.ts"
import { sendCommand } from "../../owner/command.ts"
import { OwnerKeys } from "../../owner/keys.ts"
import { time } from "../../virtual/install.ts"
import { objectsOf, opens } from "../../virtual/opening.ts"
import { openVirtualCamera } from "../../virtual/virtual-camera.ts"
import { type Run, Tries } from "../check.ts"
import { type BenchCamera, benchCamera } from "../worlds/bench-camera.ts"
import { newKey } from "../worlds/hand-camera.ts"

export const checks = {
  "owner-alone": async () => {
    const tries = new Tries()
    const { camera, keys, file, paired } = await household()
    const { device, key } = camera.identity
    const body = (of = device, epoch = 9) => ({ device: of, epoch, keys: [keys.householdRecipient] })
    const owner = keys.signingKeyFor(device)
    const foreign: readonly (readonly [string, Uint8Array])[] = [
      ["a stranger's", sign("recipients", body(), newKey())],
      ["the camera's own", sign("recipients", body(), key)],
      ["the owner's for another camera", sign("recipients", body("ab".repeat(20)), owner)],
      ["signed as something else", sign("resend", body(), owner)],
      ["a stranger's in the owner's name", renamed(sign("recipients", body(), newKey()), owner)],
    ]
    for (const [what, envelope] of foreign) {
      tries.is((await file.change(paired, envelope)).ok, false, `recipients that are ${what}, taken`)
      // Whoever has written to the disk has not the owner's key; nor has whoever knows what a mark looks like.
      const mark = await camera.disk.private.get("verified")
      await camera.disk.private.put("recipients", [envelope])
      for (const present of [mark, Buffer.alloc(32)]) {
        if (present) await camera.disk.private.put("verified", [present])
        tries.is(await epochAfterBoot(camera), null, `recipients on the disk that are ${what}, believed`)
      }
      await camera.disk.private.remove("recipients")
      if (mark) await camera.disk.private.put("verified", [mark])
    }
    tries.is(await epochAfterBoot(camera), 1, "epoch after all that")
    return tries
  },

  "epoch-rises": async () => {
    const tries = new Tries()
    const { camera, keys, file, paired } = await household()
    const { device } = camera.identity
    let now = paired
    for (const [epoch, taken] of [
      [3, true],
      [3, false],
      [2, false],
      [1, false],
      [4, true],
    ] as const) {
      const changed = await file.change(now, keys.recipientsFor(device, epoch))
      tries.is(changed.ok, taken, `epoch ${epoch} after ${now.recipients.epoch}, taken`)
      if (changed.ok) now = changed.ownership
      tries.is(await epochAfterBoot(camera), now.recipients.epoch, "epoch after a restart")
      const again = new OwnershipFile(camera.disk, camera.identity)
      const read = await again.read()
      const replay = read && (await again.change(read, keys.recipientsFor(device, 1)))
      tries.is(replay?.ok, false, "the first epoch, replayed after a restart, taken")
    }
    return tries
  },

  "durable-before-it-counts": async () => {
    const tries = new Tries()
    const { camera, keys, file, paired } = await household()
    camera.disk.faults = { ...noFaults.disk, full: true }
    const changed = await file.change(paired, keys.recipientsFor(camera.identity.device, 2))
    tries.is(changed.ok, false, "a change for which the disk has no room, taken")
    camera.disk.faults = noFaults.disk
    tries.is(
      await epochAfterBoot(camera),
      changed.ok ? 2 : 1,
      "what the next boot seals for, against what counts now",
    )
    const again = await file.change(paired, keys.recipientsFor(camera.identity.device, 2))
    tries.is([again.ok, await epochAfterBoot(camera)], [true, 2], "the same when there is room")
    return tries
  },

  "seals-for-newest": async () => {
    const tries = new Tries()
    const camera = await openVirtualCamera()
    const { household: home, owner, cloud, config } = camera
    const name = home.camera
    if (!name) throw new Error("not paired")
    await camera.walkBy()
    await camera.advance(minutes(1))
    const before = new Set(camera.delivered.map(({ clip }) => clip))
    const fresh = await newHouseholdIdentity("x25519")
    const command = owner.recipientsFor(name.id, 2, fresh.recipientText)
    const parts = { ...home.board, dialler: cloud.dialler, log: { write: () => undefined } }
    const broker = { name: cloud.identity.name, pin: null }
    const patience = AbortSignal.timeout(minutes(1))
    const sent = sendCommand(
      command,
      name,
      owner.signingKeyFor(name.id),
      broker,
      parts,
      config.link,
      patience,
    )
    const answer = await time.settle(sent, minutes(2))
    tries.is(answer?.result, "done", "the owner's change of recipients, answered")
    await camera.walkBy()
    await camera.advance(minutes(1))
    const identity = identityFromText(fresh.secretText)
    for (const clip of camera.delivered)
      for (const { entry } of objectsOf(clip)) {
        const bytes = await home.objectBytes(entry.id)
        const isOld = before.has(clip.clip)
        if (bytes)
          tries.is(
            [await opens(bytes, owner.identity), await opens(bytes, identity)],
            [isOld, !isOld],
            "opened by the old and the new key",
          )
      }
    tries.holds(camera.delivered.length > before.size, "nothing was recorded after the change")
    await camera.close()
    return tries
  },

  "public-keys-alone": async () => {
    const tries = new Tries()
    const { camera, keys, file, paired } = await household()
    const { device } = camera.identity
    const { secretText, recipientText } = await newHouseholdIdentity("x25519")
    const low = bech32.encode("age", bech32.toWords(new Uint8Array(32)), false)
    for (const keysOf of [
      [secretText],
      [secretText.toLowerCase()],
      [recipientText, recipientText],
      [],
      [low],
      ["age1"],
    ]) {
      const envelope = sign("recipients", { device, epoch: 2, keys: keysOf }, keys.signingKeyFor(device))
      tries.is((await file.change(paired, envelope)).ok, false, "recipients that are none, taken")
      const [first] = keysOf
      if (first !== undefined && keysOf.length === 1)
        await tries.refused(() => parseRecipient(first), "a recipient that is none")
    }
    tries.is(await epochAfterBoot(camera), 1, "epoch after all that")
    return tries
  },
} satisfies Readonly<Record<string, Run>>

async function household() {
  const camera = await benchCamera()
  const keys = await OwnerKeys.create()
  const { device, key } = camera.identity
  const file = new OwnershipFile(camera.disk, camera.identity)
  const paired = await file.pair({
    owner: keys.signingKeyFor(device).hex,
    broker: { name: "cloud.example", pin: null },
    receiptKey: key.hex,
    logKey: key.hex,
    recipients: Buffer.from(keys.recipientsFor(device, 1)).toString("base64"),
  })
  return { camera, keys, file, paired }
}

/** As after a restart: all that is known is on the disk. null: it refuses to boot. */
async function epochAfterBoot({ disk }: BenchCamera): Promise<number | null> {
  try {
    const ownership = await new OwnershipFile(disk, await openIdentity(disk)).read()
    return ownership?.recipients.epoch ?? null
  } catch (error) {
    if (isFault(error)) return null
    throw error
  }
}

function renamed(envelope: Uint8Array, as: SigningKey): Uint8Array {
  const opened = JSON.parse(Buffer.from(envelope).toString())
  opened.signatures[0].keyid = as.id
  return Buffer.from(JSON.stringify(opened))
}
