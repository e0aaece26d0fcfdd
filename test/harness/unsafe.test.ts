import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { runCamera } from "../../firmware/camera.ts"
import { type CameraConfig, type CameraConfigInput, parseConfig } from "../../firmware/config.ts"
import { openIdentity } from "../../firmware/control/identity.ts"
import { KiB, MiB } from "../../firmware/units.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import { makePaired } from "../../harness/bench/cameras.ts"
import { ThrottledLens } from "../../harness/bench/throttled-lens.ts"
import { type Cloud, startCloud } from "../../harness/cloud/broker.ts"
import { openCloudKeys } from "../../harness/cloud/keys.ts"
import { OwnerKeys } from "../../harness/owner/keys.ts"
import { runPlainCamera } from "../../harness/unsafe/plain-camera.ts"
import { virtualBoard } from "../../simulator/board.ts"
import { loadScene } from "../../simulator/footage.ts"

// That what ships holds no other sealer is in bundle.test.ts.

const CANARY = "canary-of-whatever-is-configured"
/** Sequence after which a camera has shown segments, and mostly a whole clip with thumbnail and summary. */
const ENOUGH = 6
/** So many groups of pictures, a second each, are more than enough of segments. */
const GROUPS = 40

describe("whatever the configuration", () => {
  let directory: string
  let cloud: Cloud
  let keys: OwnerKeys

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "obscura-unsafe-"))
    keys = await OwnerKeys.create()
    cloud = await startCloud({
      host: "127.0.0.1",
      port: 0,
      name: "cloud.example",
      directory: join(directory, "bucket"),
      keys: await openCloudKeys(join(directory, "keys.json")),
      log: { write: () => undefined },
    })
  })
  afterAll(async () => {
    await cloud.close()
    await rm(directory, { recursive: true, force: true })
  })

  /** Everything that one camera brings to the bucket within its first objects. */
  async function arrivalsOf(run: typeof runCamera, config: CameraConfig): Promise<readonly Uint8Array[]> {
    const footage = await loadScene("day-person")
    const stop = new AbortController()
    AbortSignal.timeout(8_000).addEventListener("abort", () => stop.abort())
    const board = virtualBoard({
      ...{ seed: 1, index: 0, footage, canary: CANARY, lens: { pace: "unpaced" } },
      dialler: networkDialler(`mqtt://127.0.0.1:${cloud.port}`),
      log: {
        write: (line) => {
          if (line.event === "received" && line.to >= ENOUGH) stop.abort()
        },
      },
    })
    await makePaired(board.disk, keys, cloud.identity)
    const { device } = await openIdentity(board.disk)
    board.pins.set(config.pins.motion, 1)
    const lens = new ThrottledLens(board.lens, GROUPS)
    lens.open = true
    await run({ ...board, lens }, config, stop.signal)
    const ids = cloud.bucket.manifests(device).flatMap(({ objects }) => objects.map(({ id }) => id))
    const bytes = await Promise.all(ids.map((id) => cloud.bucket.objectBytes(id)))
    return bytes.filter((each) => each !== null)
  }

  test("what arrives are age files", async () => {
    let arrived = 0
    await fc.assert(
      fc.asyncProperty(configurations, async (input) => {
        const arrivals = await arrivalsOf(runCamera, parseConfig(input))
        arrived += arrivals.length
        return arrivals.every(isSealed)
      }),
      { numRuns: 6, endOnFailure: true },
    )
    expect(arrived).toBeGreaterThan(25)
  }, 240_000)

  test("one that asks for less is refused", () => {
    fc.assert(
      fc.property(configurations, wishes, (input, wish) => {
        parseConfig(input)
        expect(() => parseConfig(wished(input, wish))).toThrow(expect.objectContaining({ kind: "usage" }))
      }),
    )
  })

  test("and a camera that does not seal is found out by the same look", async () => {
    const arrivals = await arrivalsOf(runPlainCamera, parseConfig({}))
    expect(arrivals.length).toBeGreaterThan(0)
    expect(arrivals.some(isSealed)).toBe(false)
  }, 30_000)
})

function isSealed(bytes: Uint8Array): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const header =
    /^age-encryption\.org\/v1\n-> X25519 [A-Za-z0-9+/]{43}\n[A-Za-z0-9+/]{43}\n--- [A-Za-z0-9+/]{43}\n/
  return header.test(file.subarray(0, 400).toString("latin1")) && !file.includes(CANARY)
}

const some = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(model, { requiredKeys: [] })
const between = (min: number, max: number) => fc.integer({ min, max })

/** Anything that a person may write, kept to what a short test can carry. */
const configurations: fc.Arbitrary<CameraConfigInput> = some({
  lens: some({
    width: between(64, 4096),
    height: between(64, 4096),
    framesPerSecond: between(1, 120),
    bitsPerSecond: between(100_000, 4_000_000),
    groupOfPictures: between(100, 4_000),
  }),
  recording: some({
    preRoll: between(0, 10_000),
    postRoll: between(0, 10_000),
    clipMax: between(2_000, 20_000),
    segmentMin: between(200, 2_000),
    ringBytesMax: between(MiB, 8 * MiB),
    verdictWithin: between(0, 1_000),
  }),
  padding: fc.constantFrom("floor", "economy"),
  spool: some({
    bytesMax: between(16 * MiB, 64 * MiB),
    whenFull: fc.constantFrom("drop-oldest", "refuse-newest"),
    keepReceivedBytes: between(0, 64 * KiB),
  }),
  link: some({
    heartbeatEvery: between(1_000, 60_000),
    keepAlive: between(5_000, 60_000),
    retryFirst: between(10, 50),
    resendAfter: between(500, 20_000),
  }),
  pins: fc.constantFrom(undefined, { motion: 5, bell: 6, light: 7 }).map((pins) => pins ?? {}),
})

/** What somebody might try: a word in some section. */
const wishes = fc.record({
  section: fc.constantFrom("", "lens", "recording", "spool", "link", "pins"),
  word: fc.constantFrom("seal", "plain", "encrypt", "encryption", "cipher", "recipients", "unsafe", "debug"),
  value: fc.constantFrom<unknown>(true, false, null, 0, "none", "off", "plain"),
})

function wished(
  input: CameraConfigInput,
  { section, word, value }: { readonly section: string; readonly word: string; readonly value: unknown },
): unknown {
  if (section === "") return { ...input, [word]: value }
  return { ...input, [section]: { ...Object(Reflect.get(input, section)), [word]: value } }
}
