import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { sign, verify } from "../../../firmware/control/dsse.ts"
import { openIdentity } from "../../../firmware/control/identity.ts"
import { sha256Hex } from "../../../firmware/control/keys.ts"
import {
  isObjectEntry,
  type Manifest,
  manifestShape,
  type ObjectEntry,
} from "../../../firmware/control/protocol.ts"
import type { Evidence, Judgement } from "../../../harness/load/evidence.ts"
import { judge } from "../../../harness/load/judge.ts"
import type { Blow } from "../../../harness/load/struck.ts"
import type { ObjectSource } from "../../../harness/owner/vault.ts"
import { type SmallRun, smallRun } from "./small-run.ts"

let run: SmallRun
let evidence: Evidence
/** What camera 0 listed, in order. */
let manifests: readonly Manifest[]
let entries: readonly ObjectEntry[]

beforeAll(async () => {
  run = await smallRun(3, 7)
  evidence = run.evidence
  const owner = evidence.owners[0]
  if (!owner) throw new Error("camera 0 was not paired")
  const envelopes = await evidence.source.manifests(owner.camera.id)
  manifests = envelopes.map((envelope) => verify("manifest", envelope, owner.camera, manifestShape))
  entries = manifests.flatMap((manifest) => manifest.entries.filter(isObjectEntry))
}, 40_000)

afterAll(() => run.remove())

/** Names of the invariants that do not hold. */
function broken({ invariants }: Judgement): readonly string[] {
  return invariants.filter(({ count, limit }) => count > limit).map(({ name }) => name)
}

function withSource(changed: Partial<ObjectSource>): Evidence {
  return { ...evidence, source: { ...evidence.source, ...changed } }
}

function entry(position: number): ObjectEntry {
  const found = entries[position]
  if (!found) throw new Error(`camera 0 listed no object ${position}`)
  return found
}

async function bytesOf(id: string): Promise<Uint8Array> {
  const bytes = await evidence.source.object(id)
  if (!bytes) throw new Error(`no object ${id}`)
  return bytes
}

describe("the judge", () => {
  test("finds nothing in an honest run, and opened all of it", async () => {
    const films: number[] = []
    const judgement = await judge(evidence, { onOpened: async (index) => void films.push(index) })
    expect(judgement.failures).toEqual([])
    expect(broken(judgement)).toEqual([])
    const { recorded, delivered, opened, lost, doubled, openedByOthers } = judgement.clips
    expect(recorded).toBeGreaterThanOrEqual(3)
    expect([delivered, opened, films.length]).toEqual([recorded, recorded, recorded])
    expect([lost, doubled, openedByOthers]).toEqual([0, 0, 0])
    expect(judgement.segments.delivered).toBe(judgement.segments.sealed)
    expect(judgement.bytes.delivered).toBe(judgement.bytes.sealed)
  })

  test("finds an object that was deleted: the clip is lost", async () => {
    const gone = entry(0).id
    const judgement = await judge(
      withSource({
        has: async (id) => id !== gone && evidence.source.has(id),
        object: async (id) => (id === gone ? null : evidence.source.object(id)),
      }),
    )
    expect(broken(judgement)).toContain("clips lost")
    expect(judgement.clips.lost).toBe(1)
    expect(judgement.failures.join()).toContain("camera 0")
  })

  test("finds a clip whose manifests never came: lost, and said to be a gap where others followed", async () => {
    const judgement = await judge(
      withSource({
        manifests: async (device) => (await evidence.source.manifests(device)).slice(1),
      }),
    )
    expect(broken(judgement)).toEqual(expect.arrayContaining(["clips lost", "alerts in chains of manifests"]))
  })

  test("finds a part that is listed twice, although the camera itself signed it", async () => {
    const camera = run.fleet.members[0]
    const last = manifests.at(-1)
    if (!camera || !last) throw new Error("no camera 0")
    const { key, device } = await openIdentity(camera.board.disk)
    const envelopes = await evidence.source.manifests(device)
    const twin: Manifest = {
      ...last,
      sequence: last.sequence + last.entries.length,
      previous: sha256Hex(envelopes.at(-1) ?? new Uint8Array()),
      entries: [{ ...entry(0), id: "0".repeat(32) }],
    }
    const judgement = await judge(
      withSource({
        manifests: async (of) =>
          of === device ? [...envelopes, sign("manifest", twin, key)] : evidence.source.manifests(of),
        has: async (id) => id === "0".repeat(32) || evidence.source.has(id),
        object: (id) => evidence.source.object(id === "0".repeat(32) ? entry(0).id : id),
      }),
    )
    expect(broken(judgement)).toContain("clips doubled")
    expect(judgement.clips.doubled).toBe(1)
  })

  test("finds one flipped header byte", async () => {
    const { id, headerBytes } = entry(0)
    const damaged = Buffer.from(await bytesOf(id))
    damaged.writeUInt8(damaged.readUInt8(headerBytes - 5) ^ 1, headerBytes - 5)
    const judgement = await judge(
      withSource({ object: async (each) => (each === id ? damaged : evidence.source.object(each)) }),
    )
    expect(broken(judgement)).toEqual(["clips unreadable"])
    expect(judgement.clips.opened).toBe(judgement.clips.delivered - 1)
  })

  test("finds two objects that were swapped", async () => {
    const [a, b] = [entry(0).id, entry(1).id]
    const swapped = (id: string) => (id === a ? b : id === b ? a : id)
    const judgement = await judge(withSource({ object: (id) => evidence.source.object(swapped(id)) }))
    expect(broken(judgement)).toEqual(["clips unreadable"])
  })

  test("finds an owner who has another's key: one cannot open, the other is read by a stranger", async () => {
    const [first, second, ...rest] = evidence.owners
    if (!first || !second) throw new Error("too few owners")
    const judgement = await judge({ ...evidence, owners: [{ ...first, keys: second.keys }, second, ...rest] })
    expect(broken(judgement)).toEqual(["clips unreadable", "clips opened by others"])
    expect(judgement.clips.openedByOthers).toBeGreaterThanOrEqual(1)
  })

  test("finds a server that has an owner's key", async () => {
    const stolen = evidence.owners[1]?.keys.identity
    if (!stolen) throw new Error("too few owners")
    const judgement = await judge({ ...evidence, serverKeys: [...evidence.serverKeys, stolen] })
    expect(broken(judgement)).toEqual(["clips opened by others"])
  })

  test("finds a clip that its camera discarded", async () => {
    const [first, ...rest] = evidence.cameras
    if (!first) throw new Error("no camera 0")
    const clips = first.clips.map((clip) => ({ ...clip, outcome: "discarded" as const }))
    const judgement = await judge({ ...evidence, cameras: [{ ...first, clips }, ...rest] })
    expect(broken(judgement)).toContain("discarded clips in the cloud")
  })

  test("finds a clip of another source, and one that misses its motion", async () => {
    const shown = { ...evidence, camera: (index: number) => evidence.camera((index + 1) % 3) }
    expect(broken(await judge(shown))).toContain("clips that differ")
    const [first, ...rest] = evidence.cameras
    if (!first) throw new Error("no camera 0")
    const clips = first.clips.map((clip) => ({ ...clip, stillGroup: 1_000 }))
    const missed = { ...evidence, cameras: [{ ...first, clips }, ...rest] }
    expect(broken(await judge(missed))).toEqual(["clips that miss their motion"])

    const from = Math.min(...clips.map(({ openedAt }) => openedAt))
    const until = Math.max(...clips.map(({ endedAt }) => endedAt ?? Number.POSITIVE_INFINITY))
    const struck = (blow: Blow) => ({ ...missed, struck: (index: number) => (index === 0 ? [blow] : []) })
    const kind = "lens-stall"
    expect(broken(await judge(struck({ kind, from, until })))).toEqual([])
    for (const elsewhere of [
      { kind, from: until + 1, until: until + 2 },
      { kind, from: from - 2, until: from - 1 },
    ] as const)
      expect(broken(await judge(struck(elsewhere)))).toEqual(["clips that miss their motion"])
  })

  test("hears times from the fleet's start", () => {
    const { begun, members } = run.fleet
    expect(begun).toBeGreaterThan(0)
    expect(members.map(({ tally }) => tally.begun)).toEqual(members.map(() => begun))
    for (const { openedAt, endedAt } of evidence.cameras.flatMap(({ clips }) => clips))
      expect(openedAt).toBeLessThanOrEqual(endedAt ?? 0)
  })

  test("counts what a camera complained of besides what it names", async () => {
    const [first, ...rest] = evidence.cameras
    if (!first) throw new Error("no camera 0")
    const grumbling = { ...first, complaints: ["receipt refused: not the cloud's"], moreComplaints: 41 }
    const judgement = await judge({ ...evidence, cameras: [grumbling, ...rest] })
    expect(judgement.invariants.find(({ name }) => name === "complaints of cameras")?.count).toBe(42)
    expect(judgement.failures).toContain("complaints of cameras: camera 0: 41 more")
  })

  test("looks at an owner as often in a fleet of any size", async () => {
    const [first, owner] = [evidence.cameras[0], evidence.owners[0]]
    if (!first || !owner) throw new Error("no camera 0")
    let looks = 0
    const owners = Array.from({ length: 200 }, (_, index) => ({
      ...owner,
      get index() {
        looks++
        return index
      },
    }))
    const cameras = owners.map((_, index) => ({ ...first, index, clips: [] }))
    const source = { ...evidence.source, manifests: async () => [] }
    await judge({ ...evidence, cameras, owners, source })
    expect(looks).toBeLessThanOrEqual(2 * owners.length)
  })

  test("believes a pairing of the camera's own owner alone", async () => {
    const owners = evidence.owners.filter(({ index }) => index !== 1)
    const judgement = await judge({ ...evidence, owners })
    expect(judgement.failures).toContain("cameras that did not come up: camera 1: was not paired")
    expect(judgement.cameras.failed).toBe(1)
  })

  test("finds objects that no manifest lists, cameras that did not come up, and what they complained of", async () => {
    const [first, ...rest] = evidence.cameras
    if (!first) throw new Error("no camera 0")
    const silent = { ...first, connects: 0, complaints: ["fault in pins: unavailable"] }
    const judgement = await judge({
      ...evidence,
      cameras: [silent, ...rest],
      storedObjects: evidence.storedObjects + 1,
    })
    expect(broken(judgement)).toEqual([
      "cameras that did not come up",
      "objects that nobody lists",
      "complaints of cameras",
    ])
    expect(judgement.cameras).toEqual({ connected: 2, failed: 1 })
  })

  test("does not call a run held in which nothing happened", async () => {
    const cameras = evidence.cameras.map((camera) => ({ ...camera, clips: [] }))
    const source = { ...evidence.source, manifests: async () => [] }
    const judgement = await judge({ ...evidence, cameras, source, storedObjects: 0 })
    expect(broken(judgement)).toEqual(["runs without a clip"])
  })

  test.each([
    ["in plain", (canary: string) => canary],
    ["in hex", (canary: string) => Buffer.from(canary).toString("hex")],
    ["in base64, shifted", (canary: string) => Buffer.from(`x${canary}`).toString("base64")],
    ["across a window's edge", (canary: string) => `${"-".repeat(8 * 1024 * 1024 - 9)}${canary}`],
  ])("finds a canary planted in the bucket %s", async (name, spell) => {
    const planted = join(run.directory, `planted ${name}`)
    await writeFile(planted, `before ${spell(evidence.canary)} after`)
    const judgement = await judge({ ...evidence, plainPlaces: [...evidence.plainPlaces, planted] })
    expect(broken(judgement)).toEqual(["canaries in plain"])
    expect(judgement.failures.join()).toContain("planted")
  })
})
