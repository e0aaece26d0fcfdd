import { describe, expect, test } from "vitest"
import type { Spool } from "../../../firmware/delivery/spool.ts"
import { type BenchCamera, benchCamera, entriesOn, newClip } from "./bench-camera.ts"

const never = new AbortController().signal

async function record(camera: BenchCamera, spool: Spool, objects: number): Promise<void> {
  const clip = newClip()
  for (let index = 0; index < objects; index++) {
    const object = await camera.segment(clip, index, index === objects - 1)
    await spool.hold(object)
    await spool.release([object.facts.id])
  }
}

/** A camera whose uploader has one parcel on its way. */
async function busyCamera() {
  const camera = await benchCamera()
  const spool = await camera.boot()
  await record(camera, spool, 1)
  const parcel = await spool.next(never)
  if (!parcel) throw new Error("no parcel")
  parcel.sending = true
  return { camera, spool, parcel }
}

const manifests = async (camera: BenchCamera) => (await camera.disk.list("manifest.")).length

describe("while a parcel is on its way", () => {
  test("what is released shares the next one, which the uploader gets when it asks", async () => {
    const { camera, spool, parcel } = await busyCamera()
    await record(camera, spool, 3)
    expect([await manifests(camera), spool.empty]).toEqual([1, false])
    await spool.received(parcel, new Uint8Array())
    parcel.sending = false
    const next = await spool.next(never)
    expect(next?.items).toHaveLength(3)
    expect(next?.link.manifest.sequence).toBe(1)
  })

  test("no more than eight objects wait for it", async () => {
    const { camera, spool } = await busyCamera()
    await record(camera, spool, 7)
    expect(await manifests(camera)).toBe(1)
    await record(camera, spool, 1)
    expect(await manifests(camera)).toBe(2)
  })

  test("a power cut loses none of what waits: the next boot lists it", async () => {
    const { camera, spool } = await busyCamera()
    await record(camera, spool, 3)
    await camera.boot()
    expect((await entriesOn(camera.disk)).map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3])
  })

  test("a camera that is offline lists at once", async () => {
    const { camera, spool, parcel } = await busyCamera()
    parcel.sending = false
    await record(camera, spool, 2)
    expect(await manifests(camera)).toBe(3)
  })
})
