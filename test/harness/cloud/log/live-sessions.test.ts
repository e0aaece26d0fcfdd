import { afterEach, describe, expect, test } from "vitest"
import { sign } from "../../../../firmware/control/dsse.ts"
import { signingKeyOf } from "../../../../firmware/control/keys.ts"
import type { Entry, Heartbeat, Manifest } from "../../../../firmware/control/protocol.ts"
import { Fault, isFault } from "../../../../firmware/errors.ts"
import type { BucketRecord, WritableBucket } from "../../../../harness/cloud/bucket.ts"
import { bucketThatLogs, NOT_LOGGED } from "../../../../harness/cloud/log/live-sessions.ts"
import { folderSource } from "../../../../harness/cloud/log/log-source.ts"
import { readLog } from "../../../../harness/owner/log.ts"
import { tracesInBeat, tracesInManifest } from "../../../../harness/owner/log-traces.ts"
import { mutant } from "../../../mutants.ts"
import { Folders, LOG, openLog } from "./logs.ts"

const folders = new Folders()
afterEach(() => folders.remove())

const camera = signingKeyOf(Buffer.alloc(32, 11))
const owner = "0".repeat(40)
const viewer = "e".repeat(40)
const beats = { latest: () => ({ owner }) as Heartbeat }

const live = (session: number, by: string): Entry => ({
  ...{ kind: "live", session: String(session).repeat(32), grant: "a".repeat(64), viewer: by },
})
const end = (session: number): Entry => ({
  ...{ kind: "live end", session: String(session).repeat(32), cause: "left", pictures: 100 },
})

function manifestOf(entries: Entry[]): BucketRecord & { readonly envelope: Uint8Array } {
  const zeros = "0".repeat(64)
  const body: Manifest = {
    device: camera.id,
    sequence: 0,
    previous: zeros,
    epoch: 1,
    recipients: zeros,
    entries,
  }
  const envelope = sign("manifest", body, camera)
  return { device: camera.id, objects: [], manifest: { envelope, hash: zeros, body }, envelope }
}

/** Of a bucket what this needs: it takes things in, and says so in order. */
class Stand {
  readonly #stored: BucketRecord[] = []
  get stored(): number {
    return this.#stored.length
  }
  async store(record: BucketRecord): Promise<void> {
    this.#stored.push(record)
  }
}

async function setUp(wrap = bucketThatLogs) {
  const directory = await folders.make()
  const log = await openLog(directory)
  const stand = new Stand()
  const bucket = wrap(stand as unknown as WritableBucket, beats, log, () => 5)
  const look = (traces: ReturnType<typeof tracesInManifest>) =>
    readLog(folderSource(directory), { log: LOG, devices: [camera.id], before: null, traces, now: 0 })
  return { log, stand, bucket, look }
}

describe("a bucket that logs", () => {
  test("takes in a manifest that tells of live sessions when each has its record under a checkpoint", async () => {
    const { log, stand, bucket, look } = await setUp()
    const manifest = manifestOf([live(1, viewer), end(1), live(2, owner)])
    await bucket.store(manifest)
    const view = await look(tracesInManifest(manifest.envelope, camera))
    expect(view.alerts).toEqual([])
    expect(view.records.get(camera.id)).toMatchObject([
      { kind: "live session", by: { role: "viewer", key: viewer } },
      { kind: "live session", by: { role: "owner", key: owner } },
    ])
    expect(stand.stored).toBe(1)
    await log.close()
  })

  test("makes no second record of a manifest that comes again", async () => {
    const { log, stand, bucket, look } = await setUp()
    for (let times = 0; times < 3; times++) await bucket.store(manifestOf([live(1, viewer)]))
    expect((await look([])).alerts).toEqual([])
    expect([log.size, stand.stored]).toEqual([1, 3])
    await log.close()
  })

  test("takes nothing in that it could not log, and all that needs no record", async () => {
    const stand = new Stand()
    const full = new Fault("full", "no room")
    const failing = {
      append: () => Promise.reject(full),
      mailbox: async () => [],
      publish: async () => undefined,
    }
    const bucket = bucketThatLogs(stand as unknown as WritableBucket, beats, failing, () => 5)
    await expect(bucket.store(manifestOf([live(1, viewer)]))).rejects.toSatisfy(
      (error) => isFault(error, "refused") && error.message === NOT_LOGGED,
    )
    expect(stand.stored).toBe(0)
    await bucket.store(manifestOf([end(1)]))
    expect(stand.stored).toBe(1)
  })

  test("that logs nothing is found out by the camera's own chain", async () => {
    const path = "harness/cloud/log/live-sessions.ts"
    const mistake = {
      path,
      from: 'entry.kind === "live"',
      to: 'entry.kind === "live" && entry.viewer === ""',
    }
    const unsafe = await mutant<typeof import("../../../../harness/cloud/log/live-sessions.ts")>(
      path,
      mistake,
    )
    const { log, bucket, look } = await setUp(unsafe.bucketThatLogs)
    const manifest = manifestOf([live(1, viewer)])
    await bucket.store(manifest)
    const { alerts } = await look(tracesInManifest(manifest.envelope, camera))
    expect(alerts).toEqual([
      { kind: "not logged", device: camera.id, trace: `live session ${"1".repeat(32)}` },
    ])
    await log.close()
  })
})

test("a fact is what the camera signed, and nobody else's word", () => {
  const { envelope } = manifestOf([live(1, viewer)])
  expect(tracesInManifest(envelope, camera)).toHaveLength(1)
  const other = signingKeyOf(Buffer.alloc(32, 12))
  for (const bytes of [envelope, Buffer.from("{}"), new Uint8Array(0)]) {
    expect(tracesInManifest(bytes, other)).toEqual([])
    expect(tracesInBeat(bytes, camera)).toEqual([])
  }
})
