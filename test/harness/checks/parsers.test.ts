import { randomBytes } from "node:crypto"
import fc from "fast-check"
import { describe, expect, test, vi } from "vitest"
import { SIGNED_KINDS } from "../../../firmware/control/dsse.ts"
import { everyDoor } from "../../../harness/checks/worlds/doors.ts"
import { everyKind } from "../../../harness/checks/worlds/kinds.ts"
import { everyParser } from "../../../harness/checks/worlds/parsers.ts"
import { root } from "../../support.ts"
import { obscura } from "../run-obscura.ts"

const world = await everyKind()
const doors = await everyDoor(world)
const parsers = await everyParser(world)

/** Forged, cut, repeated, oversized and wrongly encoded; `obscura fuzz` does so for longer and in more ways. */
const spoilt = (sample: Buffer) =>
  fc.oneof(
    fc.tuple(fc.nat(sample.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, xor]) => {
      const bytes = Buffer.from(sample)
      bytes[at] = (bytes[at] ?? 0) ^ xor
      return bytes
    }),
    fc.nat(sample.length - 1).map((length) => sample.subarray(0, length)),
    fc.nat(sample.length - 1).map((from) => Buffer.concat([sample, sample.subarray(from)])),
    fc
      .constantFrom(60_001, 65_001, 300_000)
      .map((length) => Buffer.concat([sample, Buffer.alloc(length, 32)])),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((text) => Buffer.from(text)),
    fc.constantFrom(...SIGNED_KINDS).map((kind) => world.messages[kind]),
  )

const refusesAll = (sample: Buffer, takes: (bytes: Buffer) => Promise<boolean>) =>
  fc.assert(
    fc.asyncProperty(spoilt(sample), async (bytes) => {
      if (!bytes.equals(sample)) expect(await takes(bytes)).toBe(false)
    }),
    { numRuns: 40 },
  )

describe("whatever a wire makes of a message", () => {
  test.each(doors.filter(({ isThorough }) => isThorough).map((door) => [door.name, door] as const))(
    "the %s refuses it, and crashes over nothing",
    (_name, { kind, takes }) => refusesAll(world.messages[kind], takes),
  )

  test.each(parsers.map((parser) => [parser.name, parser] as const))(
    "%s: no bytes crash who parses it, and what is authentic stays so",
    (_name, { sample, isAuthentic, takes }) =>
      refusesAll(sample, async (bytes) => (await takes(bytes)) && isAuthentic),
  )

  test("and as it was it is taken", async () => {
    for (const { kind, takes, name } of doors)
      expect([name, await takes(world.messages[kind])]).toEqual([name, true])
    for (const { sample, takes, name } of parsers) expect([name, await takes(sample)]).toEqual([name, true])
  })
})

describe("obscura fuzz", () => {
  test("says how many runs of which seed, for one kind by name", async () => {
    const seed = String(randomBytes(2).readUInt16BE())
    // Its second passes in a fifth of one.
    const now = performance.now.bind(performance)
    const fast = vi.spyOn(performance, "now").mockImplementation(() => now() * 5)
    const { code, stdout } = await obscura(root, "fuzz", "chunk", "--seconds", "1", "--seed", seed)
    fast.mockRestore()
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^\\d+ runs, seed ${seed}: all refused\n$`)),
    ])
  })

  test("says in one line that there is no such kind, and which there are", async () => {
    const { code, stderr } = await obscura(root, "fuzz", "letters")
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^obscura: letters: no such kind; there are .*manifest.*\n$/),
    ])
  })
})
