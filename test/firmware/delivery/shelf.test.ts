import { expect, test } from "vitest"
import type { openSpool } from "../../../firmware/delivery/open-spool.ts"
import { receivedName } from "../../../firmware/delivery/parcel.ts"
import type { Spool } from "../../../firmware/delivery/spool.ts"
import { Fault } from "../../../firmware/errors.ts"
import { mutant } from "../../mutants.ts"
import { type BenchCamera, benchCamera, entriesOn, newClip } from "./bench-camera.ts"

type Open = typeof openSpool
const never = new AbortController().signal
const receipt = Buffer.from("the cloud's receipt")
const kept = { keepReceivedBytes: 2 ** 30 }

async function recorded(segments: number, open?: Open): Promise<[BenchCamera, Spool]> {
  const camera = await benchCamera()
  const spool = await camera.boot(kept, open)
  const clip = newClip()
  for (let index = 0; index < segments; index++) {
    const object = await camera.segment(clip, index, index === segments - 1)
    await spool.hold(object)
    await spool.release([object.facts.id])
  }
  return [camera, spool]
}

/** No receipt fits while `full()`. */
function fullForReceipts({ disk }: BenchCamera, full: () => boolean | Promise<boolean>): void {
  const put = disk.put.bind(disk)
  disk.put = async (name, parts) => {
    if (name.startsWith("received.") && (await full())) throw new Fault("full", `disk: no room for ${name}`)
    return put(name, parts)
  }
}

async function receiveNext(spool: Spool): Promise<number> {
  const parcel = await spool.next(never)
  if (!parcel) throw new Error("nothing to send")
  await spool.received(parcel, receipt)
  return parcel.link.manifest.sequence
}

test("a receipt for whose mark there is no room leaves none, makes no record of a loss, and the camera goes on", async () => {
  const [camera, spool] = await recorded(2)
  let full = true
  fullForReceipts(camera, () => full)
  expect(await receiveNext(spool)).toBe(0)
  expect((await spool.next(never))?.link.manifest.sequence).toBe(1)
  expect(await camera.disk.list("received.")).toEqual([])

  full = false
  const again = await camera.boot(kept)
  expect(await receiveNext(again)).toBe(1)
  expect((await camera.disk.list("received.")).map(({ name }) => name)).toEqual([receivedName(1)])
  expect((await camera.boot(kept)).empty).toBe(true)
  expect((await entriesOn(camera.disk)).filter(({ kind }) => kind === "drop")).toEqual([])
})

test("received payloads make room for the mark of the next receipt", async () => {
  const [camera, spool] = await recorded(2)
  await receiveNext(spool)
  fullForReceipts(camera, async () => (await camera.disk.list("object.")).length > 1)
  await receiveNext(spool)
  expect((await camera.disk.get(receivedName(1)))?.toString()).toBe(receipt.toString())
  expect(await camera.disk.list("object.")).toHaveLength(1)
})

/** Whenever the power goes, what has left the disk has its receipt's mark beside its manifest, or is gone with both. */
async function marksBeforeItLetsGo(open?: Open): Promise<void> {
  const camera = await benchCamera()
  const spool = await camera.boot({ keepReceivedBytes: 0 }, open)
  for (let index = 0; index < 2; index++) {
    const object = await camera.segment(newClip(), 0, true)
    await spool.hold(object)
    await spool.release([object.facts.id])
  }
  const remove = camera.disk.remove.bind(camera.disk)
  camera.disk.remove = async (name) => {
    await remove(name)
    if (name.startsWith("object.")) throw new Fault("unavailable", "disk: the power was cut")
  }
  await receiveNext(spool).catch(() => undefined)
  camera.disk.remove = remove
  await camera.boot()
  expect((await entriesOn(camera.disk)).filter(({ kind }) => kind === "drop")).toEqual([])
}

test("the mark is durable before a payload leaves: a power cut in between makes no false record of a loss", () =>
  marksBeforeItLetsGo())

test("a shelf that lets go first is found out", async () => {
  const mistake = {
    path: "firmware/delivery/shelf.ts",
    from: "await this.#writeMark(receivedName(parcel.link.manifest.sequence), receipt)",
    to: "await this.#evict(); await this.#writeMark(receivedName(parcel.link.manifest.sequence), receipt)",
  }
  const bent = await mutant<{ openSpool: Open }>("firmware/delivery/open-spool.ts", mistake)
  await expect(marksBeforeItLetsGo(bent.openSpool)).rejects.toThrow("to deeply equal []")
})
