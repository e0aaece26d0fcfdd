import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { virtualClock } from "../../simulator/clock.ts"
import { MemoryDisk } from "../../simulator/disk.ts"
import { type DiskFaults, noFaults } from "../../simulator/faults.ts"
import { seededRandom } from "../../simulator/random.ts"

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
})
afterEach(() => {
  vi.useRealTimers()
})

const slow: DiskFaults = { ...noFaults.disk, latency: 100 }
const powerless = expect.objectContaining({ kind: "unavailable", definite: false })

describe("memory disk", () => {
  test("a put cut in half is never listed, and what was there before is", async () => {
    const disk = diskWith({})
    await disk.put("a", [Buffer.from("old")])
    disk.faults = slow
    const puts = Promise.allSettled([disk.put("a", [Buffer.from("new")]), disk.put("b", [Buffer.from("b")])])
    await vi.advanceTimersByTimeAsync(50)
    expect(await disk.list("")).toEqual([{ name: "a", size: 3 }])
    disk.cutPower()
    expect(await puts).toEqual([
      { status: "rejected", reason: powerless },
      { status: "rejected", reason: powerless },
    ])
    disk.powerOn()
    expect(await disk.list("")).toEqual([{ name: "a", size: 3 }])
    expect(await disk.get("a")).toEqual(Buffer.from("old"))
  })

  test("a put in flight at a cut may be there, whole, although it was rejected", async () => {
    const disk = diskWith({ faults: { ...slow, keptByCut: 1 } })
    const put = disk.put("a", [Buffer.from("kept "), Buffer.from("whole")])
    disk.cutPower()
    await expect(put).rejects.toEqual(powerless)
    disk.powerOn()
    expect(await disk.get("a")).toEqual(Buffer.from("kept whole"))
  })

  test("nothing works without power, and no timer is left", async () => {
    const disk = diskWith({})
    disk.cutPower()
    await expect(disk.put("a", [])).rejects.toEqual(powerless)
    await expect(disk.get("a")).rejects.toEqual(powerless)
    await expect(disk.list("")).rejects.toEqual(powerless)
    await expect(disk.private.remove("a")).rejects.toEqual(powerless)
    await expect(disk.free()).rejects.toEqual(powerless)
    expect(vi.getTimerCount()).toBe(0)
  })

  test("a full disk refuses, definitely, and leaves what was there", async () => {
    const disk = diskWith({ bytesMax: 10 })
    await disk.put("a", [Buffer.alloc(6)])
    const full = expect.objectContaining({ kind: "full", definite: true })
    await expect(disk.put("b", [Buffer.alloc(5)])).rejects.toEqual(full)
    await expect(disk.put("a", [Buffer.alloc(5)])).rejects.toEqual(full)
    await expect(disk.private.put("b", [Buffer.alloc(5)])).rejects.toEqual(full)
    expect(await disk.list("")).toEqual([{ name: "a", size: 6 }])
    expect(await disk.free()).toBe(4)
    await disk.remove("a")
    await disk.put("b", [Buffer.alloc(10)])
    expect(await disk.free()).toBe(0)
  })

  test("the fault full refuses whatever the room, until it ends", async () => {
    const disk = diskWith({ faults: { ...noFaults.disk, full: true } })
    await expect(disk.put("a", [])).rejects.toEqual(expect.objectContaining({ kind: "full" }))
    disk.faults = noFaults.disk
    await disk.put("a", [])
  })

  test("a slow disk takes its latency and its bytes' time", async () => {
    const disk = diskWith({ faults: { ...slow, bytesPerSecond: 1_000 } })
    let done = false
    const put = disk.put("a", [Buffer.alloc(400)]).then(() => {
      done = true
    })
    await vi.advanceTimersByTimeAsync(499)
    expect(done).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    await put
    expect(done).toBe(true)
  })

  test("a single part is not copied, and several are joined once", async () => {
    const disk = diskWith({})
    const part = Buffer.alloc(4, "mine")
    await disk.put("single", [part])
    await disk.put("several", [part, part])
    expect(await disk.get("single")).toBe(part)
    expect(await disk.get("several")).toBe(await disk.get("several"))
  })

  test("a few bytes do not keep the buffer alive that they were cut from", async () => {
    const disk = diskWith({})
    await disk.put("cut", [Buffer.alloc(8_192, "mine").subarray(0, 4)])
    const kept = await disk.get("cut")
    expect([kept?.toString(), kept?.buffer.byteLength]).toEqual(["mine", 4])
  })
})

function diskWith({ bytesMax = 1_000, faults = noFaults.disk }): MemoryDisk {
  return new MemoryDisk({ bytesMax, faults, clock: virtualClock(), random: seededRandom(1) })
}
