import { mkdtemp, open, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { isFault } from "../../../firmware/errors.ts"
import { findFatPartition } from "../../../hardware/flash/partition-table.ts"

const SECTOR = 512
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-boot-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe("a partition table", () => {
  const find = async (bytes: Buffer) => {
    const path = join(folder, "table")
    await writeFile(path, bytes)
    const file = await open(path, "r")
    return findFatPartition(file, bytes.length, "disk").finally(() => file.close())
  }
  const fatSector = Buffer.alloc(SECTOR)
  fatSector.write("FAT16", 54, "latin1")
  fatSector.writeUInt16LE(0xaa55, 510)

  function gpt(entries: readonly (readonly [first: bigint, last: bigint])[], at = 2n, length = 128): Buffer {
    const disk = Buffer.alloc(64 * SECTOR)
    disk.writeUInt8(0xee, 446 + 4)
    disk.writeUInt32LE(1, 446 + 8)
    disk.writeUInt32LE(63, 446 + 12)
    disk.writeUInt16LE(0xaa55, 510)
    disk.write("EFI PART", SECTOR, "latin1")
    disk.writeBigUInt64LE(at, SECTOR + 72)
    disk.writeUInt32LE(entries.length, SECTOR + 80)
    disk.writeUInt32LE(length, SECTOR + 84)
    for (const [index, [first, last]] of entries.entries()) {
      disk.writeBigUInt64LE(first, 2 * SECTOR + index * 128 + 32)
      disk.writeBigUInt64LE(last, 2 * SECTOR + index * 128 + 40)
    }
    fatSector.copy(disk, 40 * SECTOR)
    return disk
  }

  test("may be a GPT", async () => {
    expect(
      await find(
        gpt([
          [34n, 35n],
          [40n, 50n],
        ]),
      ),
    ).toBe(40 * SECTOR)
  })

  test.each<[string, Buffer]>([
    ["of a FAT beyond the end", gpt([[40n, 64n]])],
    ["with an entry that ends before it begins", gpt([[40n, 39n]])],
    ["with an entry of 2^64 sectors", gpt([[40n, 2n ** 64n - 1n]])],
    ["whose entries lie beyond the end", gpt([[40n, 50n]], 2n ** 63n)],
    ["with entries of no length", gpt([[40n, 50n]], 2n, 0)],
    ["with entries of 4 GiB", gpt([[40n, 50n]], 2n, 2 ** 32 - 1)],
    ["with no entry", gpt([])],
  ])("%s is refused", async (_what, bytes) => {
    await expect(find(bytes)).rejects.toMatchObject({ kind: "usage" })
  })

  test("of any bytes ends in a place within the file, or in one line", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 66, maxLength: 66 }),
        fc.uint8Array({ maxLength: 128 }),
        async (table, header) => {
          const disk = gpt([[40n, 50n]])
          disk.set(table, 446)
          disk.writeUInt16LE(0xaa55, 510)
          disk.set(header, SECTOR)
          try {
            return (await find(disk)) < disk.length
          } catch (error) {
            return isFault(error, "usage")
          }
        },
      ),
    )
  })
})
