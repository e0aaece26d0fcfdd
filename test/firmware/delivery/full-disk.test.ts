import { expect, test } from "vitest"
import type { openSpool } from "../../../firmware/delivery/open-spool.ts"
import type { Spool } from "../../../firmware/delivery/spool.ts"
import { KiB } from "../../../firmware/units.ts"
import { noFaults } from "../../../simulator/faults.ts"
import { mutant } from "../../mutants.ts"
import { type BenchCamera, benchCamera, entriesOn, newClip } from "./bench-camera.ts"

const never = new AbortController().signal

async function recordClip(camera: BenchCamera, spool: Spool, segments: number): Promise<void> {
  const clip = newClip()
  for (let index = 0; index < segments; index++) {
    const object = await camera.segment(clip, index, index === segments - 1, 60 * KiB)
    await spool.hold(object)
    await spool.release([object.facts.id])
  }
}

/** What the uploader would send, in its order, of a spool that had to drop payloads while one was on its way. */
async function recordsComeFirst(boot?: typeof openSpool): Promise<void> {
  const camera = await benchCamera()
  const spool = await camera.boot({ bytesMax: 1_000_000 }, boot)
  await recordClip(camera, spool, 3)
  const sending = await spool.next(never)
  if (!sending) throw new Error("nothing to send")
  sending.sending = true // and the network is away
  await recordClip(camera, spool, 30)
  sending.sending = false
  const lost = new Set<number>()
  const said = new Set<number>()
  for (let left = 100; left > 0 && !spool.empty; left--) {
    const parcel = await spool.next(never)
    if (!parcel) break
    const { sequence, entries } = parcel.link.manifest
    for (const [at, item] of parcel.items.entries()) if (item.gone) lost.add(sequence + at)
    // The cloud signs for no manifest whose payloads neither come nor are said to be dropped.
    for (const number of lost) expect(said, `payload ${number} is gone`).toContain(number)
    await spool.received(parcel, new Uint8Array())
    for (const entry of entries)
      if (entry.kind === "drop") for (let at = entry.from; at <= entry.to; at++) said.add(at)
  }
  expect(spool.empty).toBe(true)
  expect(lost.size).toBeGreaterThan(0)
}

test("what was dropped for want of room is said before the cloud is asked to wait for it", () =>
  recordsComeFirst())

test("a spool that sends what lacks a payload by age is found out", async () => {
  const mistake = {
    path: "firmware/delivery/parcel.ts",
    from: "lacks ? -sequence : sequence",
    to: "sequence",
  }
  const bent = await mutant<{ openSpool: typeof openSpool }>("firmware/delivery/open-spool.ts", mistake)
  await expect(recordsComeFirst(bent.openSpool)).rejects.toThrow("is gone")
})

test("a disk without room even for a manifest stops no recording, and all is said once there is room", async () => {
  const camera = await benchCamera()
  const spool = await camera.boot()
  await recordClip(camera, spool, 2)
  camera.disk.faults = { ...noFaults.disk, full: true }
  await recordClip(camera, spool, 5)
  expect(spool.empty).toBe(false)
  camera.disk.faults = noFaults.disk
  await recordClip(camera, spool, 2)
  const entries = await entriesOn(camera.disk)
  expect(entries.filter(({ kind }) => kind === "segment")).toHaveLength(9)
  const dropped = entries.flatMap((entry) => (entry.kind === "drop" ? [[entry.from, entry.to]] : []))
  // What was there before had to leave too: that is what makes room on a disk that is not full of something else.
  expect(dropped).toEqual([
    [0, 1],
    [2, 6],
  ])
  expect((await camera.boot()).newest).toBe(spool.newest)
})
