import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { sha256Hex } from "../../../firmware/control/keys.ts"
import type { openSpool } from "../../../firmware/delivery/open-spool.ts"
import { manifestName } from "../../../firmware/delivery/parcel.ts"
import type { Spool } from "../../../firmware/delivery/spool.ts"
import type { deliver } from "../../../firmware/delivery/uploader.ts"
import { Fault } from "../../../firmware/errors.ts"
import { seconds } from "../../../firmware/units.ts"
import { type Mistake, mutant } from "../../mutants.ts"
import { type BenchCamera, benchCamera, newClip } from "./bench-camera.ts"
import { BenchUpload, type Parts } from "./bench-upload.ts"

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
})
afterEach(() => {
  vi.useRealTimers()
})

const later = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds)

/** A camera that recorded `segments`, each in a manifest of its own, and was restarted: nothing is warm. */
async function recorded(segments: number, boot?: typeof openSpool): Promise<[BenchCamera, Spool]> {
  const camera = await benchCamera()
  const spool = await camera.boot()
  const clip = newClip()
  for (let index = 0; index < segments; index++) {
    const object = await camera.segment(clip, index, index === segments - 1)
    await spool.hold(object)
    await spool.release([object.facts.id])
  }
  return [camera, await camera.boot({}, boot)]
}

/** The disk does not answer the first `times` that somebody reads an object. */
function ailing({ disk }: BenchCamera, times: number): void {
  let left = times
  const get = disk.get.bind(disk)
  disk.get = (name) =>
    name.startsWith("object.") && left-- > 0
      ? Promise.reject(new Fault("unavailable", "the disk does not answer", { definite: false }))
      : get(name)
}

/** A disk that does not answer for a while: one attempt, a pause, another, and all arrives in the end. */
async function pausesAndGoesOn(parts?: Parts): Promise<void> {
  const [camera, spool] = await recorded(2)
  const upload = new BenchUpload(camera)
  ailing(camera, 20)
  await upload.start(spool, parts)
  await later(10)
  const atOnce = upload.announced.length
  for (let pauses = 0; pauses < 25; pauses++) await later(upload.config.retryFirst)
  await upload.stop()
  expect(atOnce).toBe(1)
  expect(upload.receipted).toEqual([0, 1])
  expect(spool.empty).toBe(true)
}

test("a disk that does not answer makes the uploader pause before it tries again, and then go on", () =>
  pausesAndGoesOn())

test("an uploader that tries again at once is found out", async () => {
  const path = "firmware/delivery/uploader.ts"
  const from = "if (link.connected) await clock.sleep(config.retryFirst, signal)"
  const bent = await mutant<{ deliver: typeof deliver }>(path, { path, from, to: "" })
  await expect(pausesAndGoesOn(bent)).rejects.toThrow("to be 1")
})

async function othersArrive(boot?: typeof openSpool): Promise<void> {
  const [camera, spool] = await recorded(3, boot)
  const upload = new BenchUpload(camera)
  upload.refuses.add(sha256Hex((await camera.disk.get(manifestName(0))) ?? new Uint8Array()))
  await upload.start(spool)
  await later(seconds(30))
  const whileRefused = [...upload.receipted]
  upload.refuses.clear()
  await later(seconds(30))
  await upload.stop()
  expect(whileRefused).toEqual([1, 2])
  expect(upload.receipted).toEqual([1, 2, 0])
}

test("a parcel that the cloud refuses does not hold up the others, and arrives when it is taken", () =>
  othersArrive())

test("a spool that keeps on with the refused one is found out", async () => {
  const mistake: Mistake = {
    path: "firmware/delivery/parcel.ts",
    from: "[Number(lacks), refusals,",
    to: "[Number(lacks), 0,",
  }
  const bent = await mutant<{ openSpool: typeof openSpool }>("firmware/delivery/open-spool.ts", mistake)
  await expect(othersArrive(bent.openSpool)).rejects.toThrow("expected [] to deeply equal [ 1, 2 ]")
})

/** The card fails while a manifest is written: the cloud must not hear of it, and after a restart all is told. */
async function saysOnlyWhatIsDurable(boot?: typeof openSpool): Promise<void> {
  const camera = await benchCamera()
  const spool = await camera.boot({}, boot)
  const upload = new BenchUpload(camera)
  await upload.start(spool)
  const put = camera.disk.put.bind(camera.disk)
  camera.disk.put = (name, parts) =>
    name.startsWith("manifest.")
      ? Promise.reject(new Fault("unavailable", "the disk does not answer", { definite: false }))
      : put(name, parts)
  const object = await camera.segment(newClip(), 0, true)
  await spool.hold(object)
  await expect(spool.release([object.facts.id])).rejects.toThrow("does not answer")
  await later(seconds(30))
  await upload.stop()
  expect(upload.announced).toEqual([])

  camera.disk.put = put
  const again = new BenchUpload(camera)
  await again.start(await camera.boot())
  await later(seconds(1))
  await again.stop()
  expect(again.receipted).toEqual([0])
}

test("a manifest whose write failed is not announced; the next boot lists its objects anew", () =>
  saysOnlyWhatIsDurable())

test("a spool that announces before the write has ended is found out", async () => {
  const from = "while (!(await this.#shelf.write("
  const to = `this.#shelf.insert(newParcel(link, items, 0)); this.#onListed(); ${from}`
  const mistake = { path: "firmware/delivery/listing.ts", from, to }
  const bent = await mutant<{ openSpool: typeof openSpool }>("firmware/delivery/open-spool.ts", mistake)
  await expect(saysOnlyWhatIsDurable(bent.openSpool)).rejects.toThrow("to deeply equal []")
})
