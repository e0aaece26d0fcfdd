import fc from "fast-check"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import {
  CHUNK_HEADER_BYTES,
  chunkFrame,
  decodeChunk,
  type FromCamera,
} from "../../../firmware/control/protocol.ts"
import { ChunkOrder } from "../../../harness/cloud/chunk-order.ts"
import { mutant } from "../../mutants.ts"

const DEVICE = "ab".repeat(20)
const IDS = ["01".repeat(16), "02".repeat(16)] as const

/** Takes chunks as the ingest does, and writes down what came. */
class StrictIngest {
  readonly taken: string[] = []
  readonly #held = new Map<string, number>()

  expects(device: string, id: string): number | null {
    return this.#held.get(device + id) ?? null
  }

  take(device: string, name: FromCamera, payload: Buffer): null {
    if (name === "manifest") for (const id of IDS) this.#held.set(device + id, 0)
    if (name !== "chunk") return null
    if (payload[0] !== 1) {
      this.taken.push("malformed")
      return null
    }
    const { id, offset, data } = decodeChunk(payload)
    const fits = this.expects(device, id) === offset
    this.taken.push(`${fits ? "" : "gap "}${id.slice(0, 2)} ${offset}`)
    if (fits) this.#held.set(device + id, offset + data.length)
    return null
  }
}

function chunk(id: string, offset: number): Buffer {
  return chunkFrame(id, offset, 10).fill(0, CHUNK_HEADER_BYTES)
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function inOrderWith(Order: typeof ChunkOrder): void {
  const said: readonly (readonly [FromCamera, Buffer])[] = [
    ["manifest", Buffer.of(1)],
    ...IDS.flatMap((id) => [0, 10, 20, 30].map((at) => ["chunk", chunk(id, at)] as const)),
  ]
  fc.assert(
    fc.property(fc.shuffledSubarray([...said], { minLength: said.length }), (shuffled) => {
      const ingest = new StrictIngest()
      const order = new Order(ingest)
      for (const [name, payload] of shuffled) order.take(DEVICE, name, payload)
      for (const id of IDS) {
        const own = ingest.taken.filter((line) => line.includes(id.slice(0, 2)))
        expect(own).toEqual([0, 10, 20, 30].map((at) => `${id.slice(0, 2)} ${at}`))
      }
      order.close()
    }),
  )
}

test("in whatever order connections bring manifest and chunks, the ingest gets each object in order", async () => {
  inOrderWith(ChunkOrder)
  const { ChunkOrder: Hasty } = await mutant<{ ChunkOrder: typeof ChunkOrder }>(
    "harness/cloud/chunk-order.ts",
    {
      path: "harness/cloud/chunk-order.ts",
      from: "offset <= expected",
      to: "offset >= 0",
    },
  )
  expect(() => inOrderWith(Hasty)).toThrow()
})

test("a chunk whose predecessor never comes is passed on, so that the camera is asked for what is missing", () => {
  const ingest = new StrictIngest()
  const order = new ChunkOrder(ingest)
  order.take(DEVICE, "manifest", Buffer.of(1))
  order.take(DEVICE, "chunk", chunk(IDS[0], 10))
  expect(ingest.taken).toEqual([])
  vi.advanceTimersByTime(1_000)
  expect(ingest.taken).toEqual(["gap 01 10"])
  order.close()
})

/** How many tiny chunks of so many cameras are held back while the first of each is missing; and of the next as many. */
function heldOfTiny(Order: typeof ChunkOrder, cameras: number): readonly number[] {
  const ofEach = cameras === 1 ? 300 : 210
  const devices = Array.from({ length: cameras }, (_, n) => String(n).padStart(40, "0"))
  const order = new Order(new StrictIngest())
  const held = [1, 2].map(() => {
    for (const device of devices) order.take(device, "manifest", Buffer.of(1))
    for (let n = 1; n <= ofEach; n++)
      for (const device of devices) order.take(device, "chunk", chunkFrame(IDS[0], n, 1))
    const timers = vi.getTimerCount()
    for (const device of devices) order.take(device, "chunk", chunkFrame(IDS[0], 0, 1))
    return timers
  })
  order.close()
  return held
}

test.each([
  [1, 256, "no bound for each", " >= HELD_CHUNKS_OF_ONE_MAX", " >= Infinity"],
  [20, 4_096, "no bound for all", " || this.#chunks >= HELD_CHUNKS_MAX", ""],
  [20, 4_096, "a count that only rises", "    this.#chunks--\n", ""],
])(
  "of %i cameras %i tiny chunks are held back at most, and as many later; %s is noticed",
  async (...each) => {
    const [cameras, most, , from, to] = each
    expect(heldOfTiny(ChunkOrder, cameras)).toEqual([most, most])
    const path = "harness/cloud/chunk-order.ts"
    const { ChunkOrder: Wrong } = await mutant<{ ChunkOrder: typeof ChunkOrder }>(path, { path, from, to })
    expect(heldOfTiny(Wrong, cameras)).not.toEqual([most, most])
  },
)

test("what is held back is bounded, what is no chunk passes, and nothing is left behind", () => {
  const ingest = new StrictIngest()
  const order = new ChunkOrder(ingest)
  order.take(DEVICE, "chunk", Buffer.from("no chunk at all, and long enough to be one"))
  const large = chunkFrame(IDS[0], 10, 60_000).fill(0, CHUNK_HEADER_BYTES)
  for (let n = 0; n < 600; n++) order.take(String(n % 3).padStart(40, "0"), "chunk", large)
  expect(ingest.taken.slice(0, 2)).toEqual(["malformed", "gap 01 10"])
  expect(ingest.taken.length).toBeLessThan(100)
  order.close()
  expect(vi.getTimerCount()).toBe(0)
})
