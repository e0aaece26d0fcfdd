import { randomBytes } from "node:crypto"
import { describe, expect, test } from "vitest"
import { sign } from "../../../firmware/control/dsse.ts"
import { openIdentity } from "../../../firmware/control/identity.ts"
import { signingKeyOf } from "../../../firmware/control/keys.ts"
import { type Ownership, OwnershipFile } from "../../../firmware/control/ownership.ts"
import { isFault } from "../../../firmware/errors.ts"
import type { Disk } from "../../../firmware/ports.ts"
import { OwnerKeys } from "../../../harness/owner/keys.ts"
import { noFaults } from "../../../simulator/faults.ts"
import { mutant } from "../../mutants.ts"
import { type BenchCamera, benchCamera } from "../delivery/bench-camera.ts"

type File = typeof OwnershipFile
const PATH = "firmware/control/ownership.ts"
const MARK = "verified"

interface Household {
  readonly camera: BenchCamera
  readonly keys: OwnerKeys
  readonly file: OwnershipFile
  readonly paired: Ownership
}

async function household(Made: File = OwnershipFile): Promise<Household> {
  const camera = await benchCamera()
  const keys = await OwnerKeys.create()
  const { device, key } = camera.identity
  const file = new Made(camera.disk, camera.identity)
  const paired = await file.pair({
    owner: keys.signingKeyFor(device).hex,
    broker: { name: "cloud.example", pin: null },
    receiptKey: key.hex,
    logKey: key.hex,
    recipients: Buffer.from(keys.recipientsFor(device, 1)).toString("base64"),
  })
  return { camera, keys, file, paired }
}

/** As after a restart: all that is known is on the disk. */
async function boot(disk: Disk, Made: File = OwnershipFile): Promise<Ownership | null> {
  return new Made(disk, await openIdentity(disk)).read()
}

/** What of an ownership is said to others; keys as text. */
function said(ownership: Ownership | null) {
  if (!ownership) return null
  const { owner, broker, receiptKey, logKey, recipients } = ownership
  const { epoch, hash, recipient } = recipients
  const keys = [owner.hex, receiptKey.hex, logKey.hex, recipient.text]
  return { keys, broker, epoch, hash }
}

/** Recipients of somebody else, in the owner's name but not by the owner's key. */
async function forged({ camera }: Household): Promise<Uint8Array> {
  const { device } = camera.identity
  const keys = [(await OwnerKeys.create()).householdRecipient]
  return sign("recipients", { device, epoch: 9, keys }, signingKeyOf(randomBytes(32)))
}

/** Whoever writes recipients to the disk without the camera's key is refused, whatever marks lie there. */
async function refusesForgery(Made?: File): Promise<void> {
  const home = await household(Made)
  const { private: area } = home.camera.disk
  const mark = await area.get(MARK)
  await area.put("recipients", [await forged(home)])
  const other = await (await household(Made)).camera.disk.private.get(MARK)
  for (const present of [mark, other, Buffer.alloc(32), Buffer.alloc(0), null]) {
    if (present) await area.put(MARK, [present])
    else await area.remove(MARK)
    await expect(boot(home.camera.disk, Made)).rejects.toMatchObject({ kind: "tampered", definite: true })
  }
}

describe("a camera that boots", () => {
  test("is whose it was, by its mark and without it", async () => {
    const { camera, keys, file, paired } = await household()
    const { disk, identity } = camera
    expect(said(await boot(disk))).toEqual(said(paired))
    const changed = await file.change(paired, keys.recipientsFor(identity.device, 2))
    const now = changed.ok ? said(changed.ownership) : null
    expect(now).toMatchObject({ epoch: 2 })
    expect(said(await boot(disk))).toEqual(now)
    await disk.private.remove(MARK)
    expect(said(await boot(disk))).toEqual(now)
  })

  test("takes recipients by its own mark or the owner's signature, and by nothing else", () =>
    refusesForgery())

  test.each([
    ["takes any mark", "const isKnown = ", "const isKnown = found !== null || "],
    ["marks anything alike", ".update(of)", '.update("ownership")'],
  ])("and one that %s is found out", async (_, from, to) => {
    const bent = await mutant<{ OwnershipFile: File }>(PATH, { path: PATH, from, to })
    await expect(refusesForgery(bent.OwnershipFile)).rejects.toThrow("resolved")
  })

  test("with any byte of its files changed is the same camera, or refuses", async () => {
    const { camera, paired } = await household()
    const { private: area } = camera.disk
    for (const name of ["pairing", MARK]) {
      const whole = Buffer.from((await area.get(name)) ?? [])
      for (let at = 0; at < whole.length; at++) {
        const bent = Buffer.from(whole)
        bent[at] = (bent[at] ?? 0) ^ 1
        await area.put(name, [bent])
        const outcome = await boot(camera.disk).catch((error: unknown) => isFault(error))
        if (name === MARK) expect(said(outcome as Ownership)).toEqual(said(paired))
        // Who could write the file could always write another owner; of recipients the signature decides.
        else if (outcome !== true)
          expect(said(outcome as Ownership)).toMatchObject({ hash: paired.recipients.hash })
      }
      await area.put(name, [whole])
    }
  })

  test("keeps a change for whose mark there was no room", async () => {
    const { camera, keys, file, paired } = await household()
    const { disk, identity } = camera
    const put = disk.private.put.bind(disk.private)
    disk.private.put = (name, parts) => {
      disk.faults = { ...noFaults.disk, full: name === MARK }
      return put(name, parts)
    }
    expect(await file.change(paired, keys.recipientsFor(identity.device, 2))).toMatchObject({ ok: true })
    disk.faults = noFaults.disk
    expect(said(await boot(disk))).toMatchObject({ epoch: 2 })
  })
})
