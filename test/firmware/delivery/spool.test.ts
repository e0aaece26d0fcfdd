import { describe, expect, test } from "vitest"
import { openIdentity } from "../../../firmware/control/identity.ts"
import { objectName } from "../../../firmware/delivery/parcel.ts"
import type { Spool } from "../../../firmware/delivery/spool.ts"
import { isFault } from "../../../firmware/errors.ts"
import { KiB, minutes } from "../../../firmware/units.ts"
import { readChain } from "../../../harness/owner/chain-view.ts"
import { virtualClock } from "../../../simulator/clock.ts"
import { MemoryDisk } from "../../../simulator/disk.ts"
import { seededRandom } from "../../../simulator/random.ts"
import { type BenchCamera, benchCamera, entriesOn, newClip } from "./bench-camera.ts"

const never = new AbortController().signal

async function manifestsOn(disk: MemoryDisk): Promise<Uint8Array[]> {
  const all: Uint8Array[] = []
  for (const { name } of await disk.list("manifest.")) all.push((await disk.get(name)) ?? new Uint8Array())
  return all
}

/** Holds and releases a whole clip of `segments` segments. */
async function recordClip(
  camera: BenchCamera,
  spool: Spool,
  segments: number,
  size?: number,
): Promise<string> {
  const clip = newClip()
  for (let index = 0; index < segments; index++) {
    const object = await camera.segment(clip, index, index === segments - 1, size)
    await spool.hold(object)
    await spool.release([object.facts.id])
  }
  return clip
}

async function receiveNext(spool: Spool): Promise<void> {
  const parcel = await spool.next(never)
  if (parcel) await spool.received(parcel, new Uint8Array())
}

describe("a spool", () => {
  test("gives numbers at release, so a discarded clip leaves no gap", async () => {
    const camera = await benchCamera()
    const spool = await camera.boot()
    await recordClip(camera, spool, 2)
    const unwanted = [await camera.segment(newClip(), 0), await camera.segment(newClip(), 1)]
    for (const object of unwanted) await spool.hold(object)
    await spool.discard(unwanted.map(({ facts }) => facts.id))
    await recordClip(camera, spool, 1)
    expect((await entriesOn(camera.disk)).map(({ sequence }) => sequence)).toEqual([0, 1, 2])
    expect(await camera.disk.list("object.")).toHaveLength(3)
  })

  test("lists objects released together under one signature", async () => {
    const camera = await benchCamera()
    const spool = await camera.boot()
    const objects = await Promise.all([0, 1, 2].map((index) => camera.segment(newClip(), index)))
    for (const object of objects) await spool.hold(object)
    await spool.release(objects.map(({ facts }) => facts.id))
    expect(await camera.disk.list("manifest.")).toHaveLength(1)
    expect((await entriesOn(camera.disk)).map(({ sequence }) => sequence)).toEqual([0, 1, 2])
  })

  test("makes a chain that the owner can follow from its first link to its newest", async () => {
    const camera = await benchCamera()
    const spool = await camera.boot()
    await recordClip(camera, spool, 5)
    const view = readChain(await manifestsOn(camera.disk), camera.identity.key)
    expect(view.alerts).toEqual([])
    expect([view.newest, view.objects.length]).toEqual([4, 5])
  })

  test("after a restart goes on with the same chain and sends what was not received", async () => {
    const camera = await benchCamera()
    const first = await camera.boot()
    const clip = await recordClip(camera, first, 3)
    await receiveNext(first)
    const second = await camera.boot()
    expect([second.newest, second.head]).toEqual([first.newest, first.head])
    const parcel = await second.next(never)
    expect(parcel?.items.map(({ facts }) => [facts.clip, facts.index])).toEqual([[clip, 1]])
  })

  test("after a power cut releases what was held, and signs where the clip was cut", async () => {
    const camera = await benchCamera()
    const spool = await camera.boot()
    const clip = newClip()
    for (const index of [0, 1, 2]) await spool.hold(await camera.segment(clip, index))
    await camera.boot()
    const entries = await entriesOn(camera.disk)
    expect(entries.map(({ kind }) => kind)).toEqual(["segment", "segment", "segment", "cut"])
    expect(entries[3]).toMatchObject({ clip, segments: 3 })
  })

  test("says a cut once, however often it boots", async () => {
    const camera = await benchCamera()
    await (await camera.boot()).hold(await camera.segment(newClip(), 0))
    for (let boots = 0; boots < 3; boots++) await camera.boot()
    expect((await entriesOn(camera.disk)).filter(({ kind }) => kind === "cut")).toHaveLength(1)
  })

  test("lets received payloads go, but keeps the head of its chain", async () => {
    const camera = await benchCamera()
    const spool = await camera.boot()
    await recordClip(camera, spool, 3)
    for (let parcels = 0; parcels < 3; parcels++) await receiveNext(spool)
    expect(spool.bytes).toBe(0)
    expect(await camera.disk.list("object.")).toEqual([])
    expect(await camera.disk.list("manifest.")).toHaveLength(1)
    expect((await camera.boot()).newest).toBe(2)
  })

  test("keeps received payloads for a resend as far as it was told to, across a restart", async () => {
    const camera = await benchCamera()
    const spool = await camera.boot({ keepReceivedBytes: 10 * KiB })
    await recordClip(camera, spool, 4)
    for (let parcels = 0; parcels < 4; parcels++) await receiveNext(spool)
    expect(await camera.disk.list("object.")).toHaveLength(2)
    const again = await camera.boot({ keepReceivedBytes: 10 * KiB })
    expect(again.empty).toBe(true)
    expect(await again.resend(0, 1)).toEqual({ here: 0, gone: 0 })
    expect(await again.resend(2, 3)).toEqual({ here: 2, gone: 0 })
    expect((await again.next(never))?.link.manifest.sequence).toBe(2)
  })

  test("that is full drops the oldest payloads, with a signed record of which and why", async () => {
    const camera = await benchCamera()
    const spool = await camera.boot({ bytesMax: 256 * KiB })
    await recordClip(camera, spool, 10, 60 * KiB)
    expect(spool.bytes).toBeLessThanOrEqual(256 * KiB)
    const view = readChain(await manifestsOn(camera.disk), camera.identity.key)
    const dropped = view.objects.filter(({ sequence }) =>
      view.drops.some(({ from, to, cause }) => cause === "full" && from <= sequence && sequence <= to),
    )
    expect(dropped.map(({ entry }) => entry.index)).toEqual([0, 1, 2, 3, 4, 5])
    expect(view.alerts).toEqual([])
  })

  test("that is full and told to keep the old refuses the newest, with a signed record", async () => {
    const camera = await benchCamera()
    const spool = await camera.boot({ bytesMax: 256 * KiB, whenFull: "refuse-newest" })
    await recordClip(camera, spool, 6, 60 * KiB)
    const view = readChain(await manifestsOn(camera.disk), camera.identity.key)
    const refused = view.objects.filter(({ sequence }) =>
      view.drops.some(
        ({ from, to, cause }) => cause === "refused newest" && from <= sequence && sequence <= to,
      ),
    )
    expect(refused.map(({ entry }) => entry.index)).toEqual([4, 5])
    expect((await camera.disk.list("object.")).length).toBe(4)
  })

  test("on a disk that is really full still gets its records down, in both configurations", async () => {
    for (const whenFull of ["drop-oldest", "refuse-newest"]) {
      const clock = virtualClock()
      const camera = await benchCamera(
        new MemoryDisk({ bytesMax: 200 * KiB, clock, random: seededRandom(1) }),
      )
      const spool = await camera.boot({ whenFull })
      await recordClip(camera, spool, 8, 60 * KiB)
      const view = readChain(await manifestsOn(camera.disk), camera.identity.key)
      expect(view.objects).toHaveLength(8)
      const here = new Set((await camera.disk.list("object.")).map(({ name }) => name))
      for (const { entry, sequence } of view.objects)
        expect(
          here.has(objectName(entry.id)) ||
            view.drops.some(({ from, to }) => from <= sequence && sequence <= to),
        ).toBe(true)
    }
  })

  test(
    "offline for very long folds its oldest records, and still covers every sequence",
    async () => {
      const camera = await benchCamera()
      const spool = await camera.boot({ bytesMax: 256 * KiB })
      await recordClip(camera, spool, 1_400, 60 * KiB)
      expect((await camera.disk.list("manifest.")).length).toBeLessThan(1_500)
      expect(readChain(await manifestsOn(camera.disk), camera.identity.key).alerts).toEqual([])
    },
    minutes(1),
  )

  test("from another camera is refused, and nothing in it is changed", async () => {
    const camera = await benchCamera()
    await recordClip(camera, await camera.boot(), 2)
    const before = await camera.disk.list("")
    await camera.disk.private.remove("identity")
    const stranger = { ...camera, identity: await openIdentity(camera.disk) }
    const foreign = await benchCamera(camera.disk)
    expect(stranger.identity.device).toBe(foreign.identity.device)
    await expect(foreign.boot()).rejects.toThrow("belongs to another camera")
    expect(await camera.disk.list("")).toEqual(before)
  })

  test("gives up a payload that its disk has damaged, says so, and goes on", async () => {
    const camera = await benchCamera()
    await recordClip(camera, await camera.boot(), 2)
    const spool = await camera.boot()
    const parcel = (await spool.next(never)) ?? raise()
    const item = parcel.items[0] ?? raise()
    const whole = Buffer.concat((await spool.read(parcel, item)) ?? raise())
    await camera.disk.put(objectName(item.facts.id), [Buffer.alloc(5_000)])
    expect(await spool.read(parcel, item)).toBeNull()
    const other = (await spool.next(never)) ?? raise()
    expect(other.items).toEqual([])
    expect(other.link.manifest.entries).toEqual([{ kind: "drop", from: 0, to: 0, cause: "damaged" }])
    expect(whole.subarray(0, 22).toString()).toBe("age-encryption.org/v1\n")
  })

  test("doubts a payload only if its own copy is wrong", async () => {
    const camera = await benchCamera()
    await recordClip(camera, await camera.boot(), 1)
    const spool = await camera.boot()
    const parcel = (await spool.next(never)) ?? raise()
    const item = parcel.items[0] ?? raise()
    await spool.doubt(parcel, item)
    expect(item.gone).toBe(false)
    const file = Buffer.from((await camera.disk.get(objectName(item.facts.id))) ?? raise())
    file[file.length - 1] = (file[file.length - 1] ?? 0) ^ 1
    await camera.disk.put(objectName(item.facts.id), [file])
    await spool.doubt(parcel, item)
    expect(item.gone).toBe(true)
  })

  test("takes up a newer link of its own that the cloud holds, and nothing else", async () => {
    const camera = await benchCamera()
    const spool = await camera.boot()
    await recordClip(camera, spool, 3)
    const newest = (await manifestsOn(camera.disk)).at(-1) ?? new Uint8Array()
    for (const { name } of await camera.disk.list("")) await camera.disk.remove(name)
    const amnesiac = await camera.boot()
    expect(amnesiac.newest).toBe(-1)
    expect(await amnesiac.adopt(newest)).toBe(2)
    expect([amnesiac.newest, amnesiac.head]).toEqual([spool.newest, spool.head])
    expect(await amnesiac.adopt(newest)).toBeNull()
    const stranger = await benchCamera()
    await recordClip(stranger, await stranger.boot(), 9)
    const foreign = (await manifestsOn(stranger.disk)).at(-1) ?? new Uint8Array()
    await expect(amnesiac.adopt(foreign)).rejects.toSatisfy((error) => isFault(error))
    expect(amnesiac.newest).toBe(2)
    expect((await camera.boot()).newest).toBe(2)
  })
})

function raise(): never {
  throw new Error("nothing to send")
}
