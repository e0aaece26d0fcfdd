import { parseConfig } from "../../../firmware/config.ts"
import { openIdentity, resetCamera } from "../../../firmware/control/identity.ts"
import { OwnershipFile } from "../../../firmware/control/ownership.ts"
import { openSpool } from "../../../firmware/delivery/open-spool.ts"
import { Fault, isFault } from "../../../firmware/errors.ts"
import type { Disk } from "../../../firmware/ports.ts"
import { minutes } from "../../../firmware/units.ts"
import { bucketSource } from "../../owner/bucket-source.ts"
import { OwnerKeys } from "../../owner/keys.ts"
import { Vault } from "../../owner/vault.ts"
import { time } from "../../virtual/install.ts"
import { objectsOf } from "../../virtual/opening.ts"
import { openVirtualCamera } from "../../virtual/virtual-camera.ts"
import { type Run, Tries } from "../check.ts"
import { type BenchCamera, benchCamera, newClip } from "../worlds/bench-camera.ts"

export const checks = {
  "reset-is-complete": async () => {
    const tries = new Tries()
    const whole = await used()
    const removals = (await whole.disk.list("")).length + (await whole.disk.private.list("")).length
    await resetCamera(whole.disk)
    const left = [...(await whole.disk.list("")), ...(await whole.disk.private.list(""))]
    tries.is(
      left.map(({ name }) => name),
      [],
      "files after a reset",
    )
    tries.holds((await boot(whole))?.device !== whole.identity.device, "the old name after a reset")
    for (let survived = 0; survived < removals; survived++) {
      const camera = await used()
      await cutAfter(camera.disk, survived, () => resetCamera(camera.disk))
      const after = await boot(camera)
      const isOld = after?.device === camera.identity.device
      tries.holds(!isOld || (after.owned && after.newest === 2), "the old name with less of its chain")
      tries.holds(isOld || !after?.owned, "a new name with the old owner")
      await resetCamera(camera.disk)
      const again = await boot(camera)
      tries.is([again?.owned, again?.newest], [false, -1], "owner and chain after a second reset")
    }
    return tries
  },

  "new-owner-empty": async () => {
    const tries = new Tries()
    const camera = await openVirtualCamera()
    const { household, cloud, board, owner: before } = camera
    const after = await OwnerKeys.create()
    await camera.walkBy()
    await camera.advance(minutes(1))
    const oldName = household.camera
    await time.settle(household.stop(), minutes(1))
    await time.settle(resetCamera(board.disk), minutes(1))
    if (!(await time.settle(household.pair(after), minutes(5))))
      throw new Error("it could not be paired anew")
    const newName = household.camera
    if (!oldName || !newName) throw new Error("two pairings")
    const vaultOf = (keys: OwnerKeys, of = newName) =>
      new Vault(bucketSource(cloud.bucket), of, keys.identity)
    tries.is((await vaultOf(after).view()).clips.length, 0, "clips that the new owner sees at first")
    household.powerOn()
    await camera.advance(minutes(1))
    await camera.walkBy()
    await camera.advance(minutes(2))
    const seen = async (keys: OwnerKeys, of: typeof newName) => {
      const vault = vaultOf(keys, of)
      const objects = (await vault.view()).clips.flatMap(objectsOf)
      const opened = await Promise.all(objects.map((each) => vault.open(each).then(() => true, refusal)))
      return { objects: objects.length, opened: opened.filter(Boolean).length }
    }
    const fresh = await seen(after, newName)
    tries.holds(
      fresh.objects > 0 && fresh.opened === fresh.objects,
      "the new owner cannot open the new clips",
    )
    for (const [keys, of] of [
      [after, oldName],
      [before, newName],
    ] as const) {
      const crossed = await seen(keys, of)
      tries.is(crossed.opened, 0, "opened across owners")
    }
    const file = new OwnershipFile(board.disk, await openIdentity(board.disk))
    const ownership = await file.read()
    const changed = ownership && (await file.change(ownership, before.recipientsFor(newName.id, 9)))
    tries.is(changed?.ok, false, "a command of the old owner")
    await time.settle(household.stop(), minutes(1))
    return tries
  },
} satisfies Readonly<Record<string, Run>>

/** A camera with an owner, and with three clips in its spool. */
async function used(): Promise<BenchCamera> {
  const camera = await benchCamera()
  const keys = await OwnerKeys.create()
  const { device, key } = camera.identity
  await new OwnershipFile(camera.disk, camera.identity).pair({
    owner: keys.signingKeyFor(device).hex,
    broker: { name: "cloud.example", pin: null },
    receiptKey: key.hex,
    logKey: key.hex,
    recipients: Buffer.from(keys.recipientsFor(device, 1)).toString("base64"),
  })
  const spool = await camera.boot()
  for (let clips = 0; clips < 3; clips++) {
    const object = await camera.segment(newClip(), 0, true)
    await spool.hold(object)
    await spool.release([object.facts.id])
  }
  return camera
}

/** What a camera on this disk would be; null: it refuses to boot. */
async function boot({ disk, clock, log }: BenchCamera) {
  try {
    const identity = await openIdentity(disk)
    const spool = await openSpool({ disk, clock, log }, parseConfig().spool, identity)
    const owned = (await new OwnershipFile(disk, identity).read()) !== null
    return { device: identity.device, owned, newest: spool.newest }
  } catch (error) {
    if (isFault(error)) return null
    throw error
  }
}

/** The power goes with the removal after so many. */
async function cutAfter(disk: Disk, survived: number, work: () => Promise<void>): Promise<void> {
  const areas = [disk, disk.private].map((area) => ({ area, remove: area.remove.bind(area) }))
  let left = survived
  for (const { area, remove } of areas)
    area.remove = (name) =>
      left-- > 0 ? remove(name) : Promise.reject(new Fault("unavailable", "disk: the power was cut"))
  await work().catch(refusal)
  for (const { area, remove } of areas) area.remove = remove
}

function refusal(error: unknown): false {
  if (isFault(error)) return false
  throw error
}
