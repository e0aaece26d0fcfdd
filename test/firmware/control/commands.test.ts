import { randomBytes } from "node:crypto"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import type { obey } from "../../../firmware/control/commands.ts"
import { sign } from "../../../firmware/control/dsse.ts"
import { OwnershipFile } from "../../../firmware/control/ownership.ts"
import { receivedName } from "../../../firmware/delivery/parcel.ts"
import type { Spool } from "../../../firmware/delivery/spool.ts"
import { noFaults } from "../../../simulator/faults.ts"
import { type Mistake, mutant } from "../../mutants.ts"
import { type BenchCamera, benchCamera, entriesOn, newClip } from "../delivery/bench-camera.ts"
import { BenchUpload, type Parts } from "../delivery/bench-upload.ts"

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
})
afterEach(() => {
  vi.useRealTimers()
})

const later = (milliseconds = 100) => vi.advanceTimersByTimeAsync(milliseconds)
const kept = { keepReceivedBytes: 2 ** 30 }
const COMMANDS = "firmware/control/commands.ts"

/** One segment, recorded, uploaded and kept. */
async function delivered(parts: Parts = {}): Promise<[BenchCamera, Spool, BenchUpload]> {
  const camera = await benchCamera()
  const spool = await camera.boot(kept)
  const object = await camera.segment(newClip(), 0, true)
  await spool.hold(object)
  await spool.release([object.facts.id])
  const upload = new BenchUpload(camera)
  await upload.start(spool, parts)
  await later()
  expect(upload.receipted).toEqual([0])
  return [camera, spool, upload]
}

function resend({ identity }: BenchCamera, { owner }: BenchUpload): Uint8Array {
  const nonce = randomBytes(16).toString("hex")
  return sign("resend", { device: identity.device, nonce, from: 0, to: 0 }, owner)
}

async function sendsOncePerNonce(parts?: Parts): Promise<void> {
  const [camera, , upload] = await delivered(parts)
  const command = resend(camera, upload)
  for (let replays = 0; replays < 3; replays++) {
    upload.command(command)
    await later()
  }
  await upload.stop()
  expect(upload.answers.map(({ reason }) => reason)).toEqual([
    "1 objects on their way, 0 no longer held",
    "already on their way",
    "already on their way",
  ])
  expect(upload.receipted).toEqual([0, 0])
}

test("a resend that the cloud replays is answered, and sends nothing more", () => sendsOncePerNonce())

test("a camera that forgets which resends it has obeyed is found out", async () => {
  const mistake: Mistake = { path: COMMANDS, from: "done.add(asked.nonce)", to: "void done" }
  const bent = await mutant<{ obey: typeof obey }>(COMMANDS, mistake)
  await expect(sendsOncePerNonce(bent)).rejects.toThrow("expected [ …(3) ] to deeply equal")
})

test("after a restart the same resend is obeyed once more: nonces live as long as a boot", async () => {
  const [camera, , upload] = await delivered()
  const command = resend(camera, upload)
  upload.command(command)
  await later()
  await upload.stop()
  const again = new BenchUpload(camera, upload.owner)
  await again.start(await camera.boot(kept))
  await later()
  again.command(command)
  await later()
  await again.stop()
  expect(again.answers.map(({ reason }) => reason)).toEqual(["1 objects on their way, 0 no longer held"])
  expect(again.receipted).toEqual([0])
})

/** What was received and is sent again is only ever evicted: it is never said to have been dropped. */
async function keepsTheReceipt(open?: Parameters<BenchCamera["boot"]>[1]): Promise<void> {
  const [camera, , upload] = await delivered()
  await upload.stop()
  const spool = await camera.boot(kept, open)
  expect(await spool.resend(0, 0)).toEqual({ here: 1, gone: 0 })
  expect(await camera.disk.get(receivedName(0))).not.toBeNull()
  // Now the disk is full: a new recording takes the room of what the owner has asked for.
  camera.disk.faults = { ...noFaults.disk, full: true }
  const object = await camera.segment(newClip(), 0, true)
  const put = camera.disk.put.bind(camera.disk)
  camera.disk.put = async (name, parts) => {
    if ((await camera.disk.list("object.")).length === 0) camera.disk.faults = noFaults.disk
    return put(name, parts)
  }
  await spool.hold(object)
  await spool.release([object.facts.id])
  expect((await entriesOn(camera.disk)).filter(({ kind }) => kind === "drop")).toEqual([])
}

test("what an owner asks for again keeps its receipt, and is never recorded as dropped", () =>
  keepsTheReceipt())

test("a resend that forgets the receipt is found out", async () => {
  const mistake: Mistake = {
    path: "firmware/delivery/spool.ts",
    from: "parcel.again = AGAIN_TRIES",
    to: "{ parcel.received = false; parcel.again = AGAIN_TRIES }",
  }
  const open = "firmware/delivery/open-spool.ts"
  const bent = await mutant<typeof import("../../../firmware/delivery/open-spool.ts")>(open, mistake)
  await expect(keepsTheReceipt(bent.openSpool)).rejects.toThrow("to deeply equal []")
})

/** A change of recipients counts when it is durable, and not before. */
async function refusesWithoutRoom(parts?: Parts): Promise<void> {
  const [camera, , upload] = await delivered(parts)
  const { recipients } = upload.ownership
  camera.disk.faults = { ...noFaults.disk, full: true }
  upload.command(upload.recipients(2))
  await later()
  expect(upload.answers.at(-1)).toMatchObject({ result: "refused", reason: "disk: no room for recipients" })
  expect(upload.ownership.recipients).toEqual(recipients)
  const file = new OwnershipFile(camera.disk, camera.identity)
  expect((await file.read())?.recipients.epoch).toBe(1)
  camera.disk.faults = noFaults.disk
  upload.command(upload.recipients(2))
  await later()
  await upload.stop()
  expect(upload.answers.at(-1)).toMatchObject({ result: "done", reason: "sealing for epoch 2" })
  expect((await file.read())?.recipients.epoch).toBe(2)
}

test("a change of recipients that finds the disk full is refused, and taken when there is room", () =>
  refusesWithoutRoom())

test("a camera that seals for a change that it could not keep is found out", async () => {
  const from = "await this.#disk.private.put(RECIPIENTS, [envelope])"
  const to = "await this.#disk.private.put(RECIPIENTS, [envelope]).catch(() => undefined)"
  const path = "firmware/control/ownership.ts"
  const bent = await mutant<{ OwnershipFile: typeof OwnershipFile }>(path, { path, from, to })
  await expect(refusesWithoutRoom(bent)).rejects.toThrow("to match object { result: 'refused'")
})
