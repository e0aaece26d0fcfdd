import { expect, test } from "vitest"
import { parseConfig } from "../../../firmware/config.ts"
import { openIdentity, resetCamera } from "../../../firmware/control/identity.ts"
import { OwnershipFile } from "../../../firmware/control/ownership.ts"
import { openSpool } from "../../../firmware/delivery/open-spool.ts"
import { Fault, isFault } from "../../../firmware/errors.ts"
import type { Disk } from "../../../firmware/ports.ts"
import { OwnerKeys } from "../../../harness/owner/keys.ts"
import { mutant } from "../../mutants.ts"
import { type BenchCamera, benchCamera, newClip } from "../delivery/bench-camera.ts"

type Reset = typeof resetCamera

/** A camera with an owner, and with clips in its spool. */
async function used(): Promise<BenchCamera> {
  const camera = await benchCamera()
  const keys = await OwnerKeys.create()
  const { device } = camera.identity
  await new OwnershipFile(camera.disk, camera.identity).pair({
    owner: keys.signingKeyFor(device).hex,
    broker: { name: "cloud.example", pin: null },
    receiptKey: camera.identity.key.hex,
    logKey: camera.identity.key.hex,
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

/** What a camera on this disk would be after a boot: its name, whether it has an owner, and where its chain is. */
async function boot(disk: Disk, { clock, log }: BenchCamera) {
  const identity = await openIdentity(disk)
  const spool = await openSpool({ disk, clock, log }, parseConfig().spool, identity)
  const owned = (await new OwnershipFile(disk, identity).read()) !== null
  return { device: identity.device, owned, newest: spool.newest }
}

test("a camera that is reset has another name, no owner and an empty spool", async () => {
  const camera = await used()
  await resetCamera(camera.disk)
  expect([await camera.disk.list(""), await camera.disk.private.list("")]).toEqual([[], []])
  const after = await boot(camera.disk, camera)
  expect(after).toMatchObject({ owned: false, newest: -1 })
  expect(after.device).not.toBe(camera.identity.device)
})

/** Whatever removal the power goes with: never the old name with less of a chain, and a second reset finishes it. */
async function survivesPowerCuts(reset: Reset): Promise<void> {
  const { disk: full } = await used()
  const removals = (await full.list("")).length + (await full.private.list("")).length
  for (let survived = 0; survived < removals; survived++) {
    const camera = await used()
    const { disk } = camera
    let left = survived
    const removes = [disk, disk.private].map((area) => ({ area, remove: area.remove.bind(area) }))
    for (const { area, remove } of removes)
      area.remove = (name) =>
        left-- > 0 ? remove(name) : Promise.reject(new Fault("unavailable", "disk: the power was cut"))
    await expect(reset(disk)).rejects.toThrow("the power was cut")
    for (const { area, remove } of removes) area.remove = remove

    const after = await boot(disk, camera).catch((error: unknown) => {
      if (!isFault(error)) throw error
      return null
    })
    if (after?.device === camera.identity.device) expect(after).toMatchObject({ owned: true, newest: 2 })
    else expect(after?.owned ?? false).toBe(false)
    await resetCamera(disk)
    expect(await boot(disk, camera)).toMatchObject({ owned: false, newest: -1 })
  }
}

test("a power cut in a reset leaves no old name with a new chain, and the next reset finishes it", () =>
  survivesPowerCuts(resetCamera))

test("and a reset that begins with the spool is found out", async () => {
  const path = "firmware/control/identity.ts"
  const mistake = {
    path,
    from: "  await disk.private.remove(NAME)\n  for (const area of [disk.private, disk])",
    to: "  for (const area of [disk, disk.private])",
  }
  const bent = await mutant<{ resetCamera: Reset }>(path, mistake)
  await expect(survivesPowerCuts(bent.resetCamera)).rejects.toThrow("to match object")
})
