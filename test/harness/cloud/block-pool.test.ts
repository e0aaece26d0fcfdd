import { randomBytes } from "node:crypto"
import { describe, expect, test } from "vitest"
import { BlockPool } from "../../../harness/cloud/block-pool.ts"

function filled(pool: BlockPool, bytes: Buffer, piece: number): Buffer[] {
  const blocks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += piece)
    pool.append(blocks, bytes.length, at, bytes.subarray(at, at + piece))
  return blocks
}

describe("blocks of the pool", () => {
  test("hold exactly what was appended, whatever the pieces", () => {
    const pool = new BlockPool()
    for (const size of [1, 32_767, 32_768, 32_769, 229_720])
      for (const piece of [997, 32_768, 64_979, size]) {
        const bytes = randomBytes(size)
        const blocks = filled(pool, bytes, piece)
        expect(Buffer.concat(blocks).equals(bytes)).toBe(true)
        pool.giveBack(blocks)
      }
  })

  test("serve again once they are given back, and never two at a time", () => {
    const pool = new BlockPool()
    const first = filled(pool, randomBytes(100_000), 64_979)
    const other = filled(pool, randomBytes(100_000), 64_979)
    expect(other.some((block) => first.includes(block))).toBe(false)
    pool.giveBack(first)
    const again = filled(pool, randomBytes(200_000), 64_979)
    expect(again.filter((block) => first.includes(block))).toHaveLength(3)
    expect(again.some((block) => other.includes(block))).toBe(false)
  })

  test("given back beyond a limit are let go", () => {
    const pool = new BlockPool()
    const many = filled(pool, Buffer.alloc(80 * 1024 * 1024), 8 * 1024 * 1024)
    pool.giveBack(many)
    const again = filled(pool, Buffer.alloc(80 * 1024 * 1024), 8 * 1024 * 1024)
    expect(again.filter((block) => many.includes(block)).length).toBe(2_048)
  })
})
