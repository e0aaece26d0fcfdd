import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import type { SigningKey } from "../../../firmware/control/keys.ts"
import { decodeHave, type Have, OBJECT_BYTES_MAX } from "../../../firmware/control/protocol.ts"
import { MiB } from "../../../firmware/units.ts"
import { type Beats, openBeats } from "../../../harness/cloud/beats.ts"
import { openBucket, type WritableBucket } from "../../../harness/cloud/bucket.ts"
import { type CloudStats, noStats } from "../../../harness/cloud/cloud-log.ts"
import { Ingest } from "../../../harness/cloud/ingest.ts"
import { type Mistake, mutant } from "../../mutants.ts"
import { chunksOf, manifestOf, newKey, randomObject, type TestManifest } from "./camera.ts"

type Taker = typeof Ingest

let folder: string
let bucket: WritableBucket
let beats: Beats
let stats: CloudStats
let said: { readonly device: string; readonly name: string; readonly payload: Uint8Array }[]

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

function ingest(keys: readonly SigningKey[], TheIngest: Taker = Ingest): Ingest {
  said = []
  stats = noStats()
  return new TheIngest({
    bucket,
    beats,
    receiptKey: newKey(),
    stats,
    log: { write: () => undefined },
    keyOf: (device) => keys.find(({ id }) => id === device) ?? null,
    send: (device, name, payload) => void said.push({ device, name, payload }),
    pendingBytesMax: 4 * OBJECT_BYTES_MAX,
  })
}

const lastHave = (): Have | null => {
  const have = said.findLast(({ name }) => name === "have")
  return have ? decodeHave(have.payload) : null
}
const receipts = (): number => said.filter(({ name }) => name === "receipt").length

/** Manifests of one object each. */
function announce(one: Ingest, key: SigningKey, size: number, count: number): TestManifest[] {
  return Array.from({ length: count }, (_, sequence) => {
    const manifest = manifestOf(key, [randomObject(size)], { sequence })
    expect(one.take(key.id, "manifest", manifest.envelope)).toBeNull()
    return manifest
  })
}

/** Of the manifest's object: how many of its chunks have come and what became of each. */
function bring(one: Ingest, key: SigningKey, { objects }: TestManifest, from: number, count: number) {
  const [object] = objects
  const chunks = object ? chunksOf(object).slice(from, from + count) : []
  return chunks.map((chunk) => one.take(key.id, "chunk", chunk))
}

async function mutantIngest(mistake: Mistake): Promise<Taker> {
  return (await mutant<{ Ingest: Taker }>("harness/cloud/ingest.ts", mistake)).Ingest
}

describe("memory for what is not durable yet", () => {
  const half = OBJECT_BYTES_MAX / 2

  /** One camera begins more than anybody may; a second one comes. */
  function leavesRoom(TheIngest?: Taker): void {
    const [greedy, other] = [newKey(), newKey()]
    const one = ingest([greedy, other], TheIngest)
    const attempts = announce(one, greedy, half, 8).map((manifest) => bring(one, greedy, manifest, 0, 1))
    expect(stats.pendingBytes).toBeLessThanOrEqual(OBJECT_BYTES_MAX + MiB)
    expect(attempts.flat()).toEqual(attempts.map(() => null))
    for (const manifest of announce(one, other, half, 2))
      expect(bring(one, other, manifest, 0, 1)).toEqual([null])
  }

  test("is never all one camera's, however much it announces and begins", () => leavesRoom())

  test("that one camera may have all of is found out", async () => {
    const path = "harness/cloud/pending-table.ts"
    const from = "(this.#devices.get(id)?.bytes ?? 0) + bytes > this.#deviceBytesMax"
    const bent = await mutantIngest({ path, from, to: "false" })
    expect(() => leavesRoom(bent)).toThrow("less than or equal")
  })

  async function keepsTheFurthest(TheIngest?: Taker): Promise<void> {
    const key = newKey()
    const one = ingest([key], TheIngest)
    const [far, near, next] = announce(one, key, half, 3)
    if (!far || !near || !next) throw new Error("not announced")
    expect(bring(one, key, far, 0, 3)).toEqual([null, null, null])
    expect(bring(one, key, near, 0, 1)).toEqual([null])
    expect(bring(one, key, next, 0, 1)).toEqual([null])
    expect(bring(one, key, far, 3, 1)).toEqual([null])
    expect(bring(one, key, near, 1, 1)).toEqual(["no such object"])
    expect(lastHave()).toEqual({ unknown: near.objects[0]?.entry.id })
    // What was forgotten is announced again, and arrives like the others.
    for (const [manifest, from] of [
      [far, 4],
      [next, 1],
      [near, 0],
    ] as const) {
      one.take(key.id, "manifest", manifest.envelope)
      bring(one, key, manifest, from, 1_000)
      await one.drained()
    }
    expect([receipts(), stats.pendingBytes]).toEqual([3, 0])
  }

  test("is taken from a camera's upload with least progress, which begins again later", () =>
    keepsTheFurthest())

  test("that is taken from the upload with most progress is found out", async () => {
    const path = "harness/cloud/pending-table.ts"
    const from = "bytesOf(a) - bytesOf(b)"
    const bent = await mutantIngest({ path, from, to: "bytesOf(b) - bytesOf(a)" })
    await expect(keepsTheFurthest(bent)).rejects.toThrow("expected")
  })

  test("is given back to the last byte, whatever cameras announce, begin, finish or leave", async () => {
    const keys = [newKey(), newKey()]
    const step = fc.record({
      camera: fc.nat(1),
      sequence: fc.nat(5),
      act: fc.constantFrom("announce", "begin", "finish", "leave" as const),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const one = ingest(keys)
        const manifests = keys.map((key) =>
          Array.from({ length: 6 }, (_, sequence) =>
            manifestOf(key, [randomObject(1_000), randomObject(500)], { sequence }),
          ),
        )
        const announceAll = new Set<TestManifest>()
        for (const { camera, sequence, act } of steps) {
          const [key, manifest] = [keys[camera], manifests[camera]?.[sequence]]
          if (!key || !manifest) continue
          announceAll.add(manifest)
          if (act === "announce") one.take(key.id, "manifest", manifest.envelope)
          if (act === "leave") one.take(key.id, "gone", Buffer.alloc(0))
          const [object] = manifest.objects
          const chunks = object ? chunksOf(object, 0, 400) : []
          if (act === "begin") for (const chunk of chunks.slice(0, 1)) one.take(key.id, "chunk", chunk)
          if (act === "finish") for (const chunk of chunks) one.take(key.id, "chunk", chunk)
        }
        for (const manifest of announceAll) {
          const { device } = manifest.body
          one.take(device, "manifest", manifest.envelope)
          for (const object of manifest.objects)
            for (const chunk of chunksOf(object, 0, 100)) one.take(device, "chunk", chunk)
          await one.drained()
        }
        expect(stats.pendingBytes).toBe(0)
      }),
      { numRuns: 25 },
    )
  })
})

describe("an object that a camera lists anew", () => {
  /** After a power cut it no longer knows of the manifest that it had announced. */
  async function forgetsTheOlder(TheIngest?: Taker): Promise<void> {
    const key = newKey()
    const one = ingest([key], TheIngest)
    const objects = [randomObject(100_000), randomObject(50_000)]
    const older = manifestOf(key, objects)
    const newer = manifestOf(key, objects.slice(0, 1), { sequence: 5 })
    one.take(key.id, "manifest", older.envelope)
    bring(one, key, older, 0, 1)
    expect(one.take(key.id, "manifest", newer.envelope)).toBeNull()
    expect(lastHave()).toEqual({ manifest: newer.hash, held: [0] })
    expect(bring(one, key, newer, 0, 2)).toEqual([null, null])
    await one.drained()
    expect([receipts(), stats.pendingBytes]).toEqual([1, 0])
    expect(bucket.manifest(older.hash)).toBeNull()
  }

  test("is expected under its newer manifest, and the older announcement is forgotten", () =>
    forgetsTheOlder())

  test("and is refused because its id is taken is found out", async () => {
    const path = "harness/cloud/uploads.ts"
    const bent = await mutantIngest({
      path,
      from: "if (earlier) this.#table.forget(earlier)",
      to: "if (earlier) return true",
    })
    await expect(forgetsTheOlder(bent)).rejects.toThrow("object id is taken")
  })

  test("and whose older announcement is kept is found out", async () => {
    const path = "harness/cloud/uploads.ts"
    const bent = await mutantIngest({ path, from: "if (earlier) this.#table.forget(earlier)", to: "" })
    await expect(forgetsTheOlder(bent)).rejects.toThrow("expected [ 1,")
  })
})
