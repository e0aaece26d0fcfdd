import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, describe, expect, test } from "vitest"
import type { Disk } from "../../firmware/ports.ts"
import { fsDisk } from "../../hardware/disk.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { MemoryDisk } from "../../simulator/disk.ts"
import { seededRandom } from "../../simulator/random.ts"

interface DiskUnderTest {
  readonly disk: Disk
  /** Ends whatever holds the disk, however rudely, and opens what is there then. */
  restart(): Promise<Disk>
}

const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

const makers: Readonly<Record<string, () => Promise<DiskUnderTest>>> = {
  async fs() {
    const directory = await mkdtemp(join(tmpdir(), "obscura-disk-"))
    let disk = await fsDisk(directory)
    cleanUps.push(async () => {
      await disk.close()
      await rm(directory, { recursive: true })
    })
    return {
      disk,
      async restart() {
        await disk.close()
        disk = await fsDisk(directory)
        return disk
      },
    }
  },
  async memory() {
    const disk = new MemoryDisk({ clock: virtualClock(), random: seededRandom(1) })
    return {
      disk,
      async restart() {
        disk.cutPower()
        disk.powerOn()
        return disk
      },
    }
  },
}

describe.each(Object.entries(makers))("%s disk", (_name, make) => {
  test("what put has resolved is there after a restart, parts joined in order", async () => {
    const { disk, restart } = await make()
    await disk.put("a", [bytes("one "), bytes(""), bytes("two "), bytes("three")])
    await disk.put("single", [bytes("alone")])
    const again = await restart()
    expect(text(await again.get("a"))).toBe("one two three")
    expect(text(await again.get("single"))).toBe("alone")
  })

  test("put replaces what was there as a whole", async () => {
    const { disk } = await make()
    await disk.put("a", [bytes("a long first version")])
    await disk.put("a", [bytes("short")])
    expect(text(await disk.get("a"))).toBe("short")
    expect(await disk.list("")).toEqual([{ name: "a", size: 5 }])
  })

  test("no parts are an entry of no bytes", async () => {
    const { disk } = await make()
    await disk.put("empty", [])
    expect((await disk.get("empty"))?.length).toBe(0)
    expect(await disk.list("")).toEqual([{ name: "empty", size: 0 }])
  })

  test("a name that was never put is null, and removing it is harmless", async () => {
    const { disk } = await make()
    expect(await disk.get("nobody")).toBeNull()
    await disk.remove("nobody")
  })

  test("what was removed is gone after a restart", async () => {
    const { disk, restart } = await make()
    await disk.put("a", [bytes("x")])
    await disk.remove("a")
    const again = await restart()
    expect(await again.get("a")).toBeNull()
    expect(await again.list("")).toEqual([])
  })

  test("a list is sorted by name, has sizes, and holds what begins with the prefix alone", async () => {
    const { disk } = await make()
    for (const name of ["b-2", "a", "b-10", "b.1", "b"]) await disk.put(name, [bytes(name)])
    expect((await disk.list("")).map((entry) => entry.name)).toEqual(["a", "b", "b-10", "b-2", "b.1"])
    expect(await disk.list("b-")).toEqual([
      { name: "b-10", size: 4 },
      { name: "b-2", size: 3 },
    ])
    expect(await disk.list("c")).toEqual([])
  })

  test("the private area is apart: neither sees the other's names", async () => {
    const { disk } = await make()
    await disk.put("key", [bytes("open")])
    await disk.private.put("key", [bytes("secret")])
    await disk.private.put("other", [bytes("x")])
    expect(text(await disk.get("key"))).toBe("open")
    expect(text(await disk.private.get("key"))).toBe("secret")
    expect(await disk.list("")).toEqual([{ name: "key", size: 4 }])
    await disk.remove("key")
    expect(text(await disk.private.get("key"))).toBe("secret")
  })

  test.each(["", "A", "a/b", "../a", ".a", "-a", "_0", "a\0", "a b", "ä", "a".repeat(121)])(
    "the name %j is refused by every call, with Fault usage",
    async (name) => {
      const { disk } = await make()
      const refused = expect.objectContaining({ kind: "usage", definite: true })
      await expect(disk.put(name, [bytes("x")])).rejects.toEqual(refused)
      await expect(disk.get(name)).rejects.toEqual(refused)
      await expect(disk.remove(name)).rejects.toEqual(refused)
      await expect(disk.private.put(name, [bytes("x")])).rejects.toEqual(refused)
      expect(await disk.list("")).toEqual([])
    },
  )

  test("the longest name is good", async () => {
    const { disk } = await make()
    const name = "a".repeat(120)
    await disk.put(name, [bytes("x")])
    expect(text(await disk.get(name))).toBe("x")
  })

  test("many puts at once are all there, and those of one name leave one of them whole", async () => {
    const { disk } = await make()
    const puts = Array.from({ length: 20 }, (_, i) => disk.put(`many-${i}`, [bytes(`${i}`)]))
    const same = Array.from({ length: 10 }, (_, i) => disk.put("same", [bytes(`${i}`.repeat(1_000))]))
    await Promise.all([...puts, ...same])
    expect(await disk.list("many-")).toHaveLength(20)
    expect(text(await disk.get("same"))).toMatch(/^(\d)\1{999}$/)
  })

  test("there is room", async () => {
    const { disk } = await make()
    expect(await disk.free()).toBeGreaterThan(0)
  })
})

function bytes(text: string): Uint8Array {
  return Buffer.from(text)
}

function text(bytes: Uint8Array | null): string | null {
  return bytes && Buffer.from(bytes).toString()
}
