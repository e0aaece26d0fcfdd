import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import type { SigningKey } from "../../../firmware/control/keys.ts"
import { OBJECT_BYTES_MAX } from "../../../firmware/control/protocol.ts"
import { MiB, minutes } from "../../../firmware/units.ts"
import { type BeatLimits, type Beats, openBeats } from "../../../harness/cloud/beats.ts"
import { openBucket, type WritableBucket } from "../../../harness/cloud/bucket.ts"
import { type CloudStats, noStats } from "../../../harness/cloud/cloud-log.ts"
import { Ingest } from "../../../harness/cloud/ingest.ts"
import { Recent } from "../../../harness/cloud/recent.ts"
import { mutant } from "../../mutants.ts"
import { heartbeatOf, manifestOf, newKey, randomObject } from "./camera.ts"

let folder: string
let bucket: WritableBucket
let beats: Beats
let stats: CloudStats

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-bounds-"))
  bucket = await openBucket(folder)
  beats = await openBeats(null)
})
afterEach(async () => {
  vi.useRealTimers()
  await bucket.close()
  await rm(folder, { recursive: true, force: true })
})

function ingest(): Ingest {
  stats = noStats()
  return new Ingest({
    bucket,
    beats,
    receiptKey: newKey(),
    stats,
    log: { write: () => undefined },
    keyOf: () => null,
    send: () => undefined,
    pendingBytesMax: 4 * OBJECT_BYTES_MAX,
  })
}

describe("heartbeats", () => {
  const limits: BeatLimits = { devicesMax: 3, bytesMax: 1 * MiB, idleAfter: minutes(10) }

  async function bounded(open: typeof openBeats = openBeats, over: Partial<BeatLimits> = {}): Promise<void> {
    vi.useFakeTimers({ toFake: ["performance"] })
    beats = await open(null, { ...limits, ...over })
    const one = ingest()
    const cameras = [newKey(), newKey(), newKey(), newKey()]
    const beat = (index: number, number = 0) => {
      const camera = cameras[index] ?? newKey()
      return one.take(camera.id, "beat", heartbeatOf(camera, { number }))
    }
    expect([beat(0), beat(1), beat(2), beat(3)]).toEqual([null, null, null, "no room for another camera"])
    // One that is known is always listened to.
    vi.advanceTimersByTime(limits.idleAfter - 1)
    expect([beat(0, 1), beat(3)]).toEqual([null, "no room for another camera"])
    vi.advanceTimersByTime(1)
    expect(beat(3)).toBeNull()
    // The oldest of the idle ones has gone, and what was heard since stays.
    expect(cameras.map(({ id }) => beats.latest(id)?.number ?? null)).toEqual([1, null, 0, 0])
    expect(stats.refused).toEqual({ "no room for another camera": 2 })
    // The one that was forgotten comes back, for another idle one.
    expect(beat(1, 7)).toBeNull()
    expect(beats.latest(cameras[2]?.id ?? "")).toBeNull()
  }

  test("are kept for a number of cameras; another one takes the place of the oldest that is idle, or is refused", () =>
    bounded())

  test("are kept within a number of bytes in the same way", async () => {
    const three = 3 * heartbeatOf(newKey()).length
    await bounded(openBeats, { devicesMax: 1_000, bytesMax: three + 100 })
  })

  test.each([
    ["without end", "beats.size + (known ? 0 : 1) <= limits.devicesMax", "true"],
    ["for whoever came last", "at - oldest.at < limits.idleAfter", "false"],
    ["in the order in which cameras first came", "    forget(body.device)\n", ""],
  ])("that are kept %s are found out", async (_what, from, to) => {
    const path = "harness/cloud/beats.ts"
    const bent = await mutant<{ openBeats: typeof openBeats }>(path, { path, from, to })
    await expect(bounded(bent.openBeats)).rejects.toThrow("expected")
  })

  test("come back from the file in the same order and within the same bounds", async () => {
    const many = await openBeats(folder)
    const cameras = Array.from({ length: 5 }, newKey)
    for (const camera of cameras) many.set(bodyOf(camera), heartbeatOf(camera))
    await many.flush()
    const again = await openBeats(folder, limits)
    const here = cameras.filter(({ id }) => again.latest(id) !== null)
    expect(here).toHaveLength(limits.devicesMax)
  })

  function bodyOf(camera: SigningKey) {
    return JSON.parse(
      Buffer.from(JSON.parse(heartbeatOf(camera).toString()).payload, "base64").toString(),
    ) as Parameters<Beats["set"]>[0]
  }
})

describe("keys at hand", () => {
  test("are the most recent ones, never more than their number", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 60 }), (steps) => {
        const recent = new Recent<number>(4)
        let order: number[] = []
        for (const [asks, number] of steps) {
          const known = order.includes(number)
          if (asks) expect(recent.get(String(number))).toBe(known ? number : null)
          else recent.set(String(number), number)
          if (!asks || known) order = [...order.filter((one) => one !== number), number].slice(-4)
          expect(recent.size).toBe(order.length)
        }
      }),
    )
  })

  test("of a camera that only its heartbeat has introduced are found again when they were let go", () => {
    const one = ingest()
    const camera = newKey()
    expect(one.take(camera.id, "beat", heartbeatOf(camera))).toBeNull()
    for (let count = 0; count < 20; count++) {
      const other = newKey()
      expect(one.take(other.id, "manifest", manifestOf(other, [randomObject(99)]).envelope)).toBe(
        "unknown key",
      )
    }
    expect(one.take(camera.id, "manifest", manifestOf(camera, [randomObject(99)]).envelope)).toBeNull()
  })
})
