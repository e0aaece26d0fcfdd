import { describe, expect, test } from "vitest"
import { isFault } from "../../firmware/errors.ts"
import { KiB } from "../../firmware/units.ts"
import { identityFromText, newHouseholdIdentity } from "../../harness/owner/age-identity.ts"
import { type ObjectSource, Vault, type VaultView } from "../../harness/owner/vault.ts"
import { type BenchCamera, benchCamera, newClip } from "../firmware/delivery/bench-camera.ts"

/** What a cloud was given by one camera, to be kept honestly or not. */
interface Shelf {
  readonly camera: BenchCamera
  readonly manifests: Uint8Array[]
  readonly objects: Map<string, Uint8Array>
  readonly receipts: Set<string>
  readonly clips: string[]
}

/** `clips` clips of three segments each, each segment in a manifest of its own. */
async function recorded(clips = 2, spoolOptions = {}): Promise<Shelf> {
  const camera = await benchCamera()
  const spool = await camera.boot({ keepReceivedBytes: 2 ** 30, ...spoolOptions })
  const shelf: Shelf = { camera, manifests: [], objects: new Map(), receipts: new Set(), clips: [] }
  for (let count = 0; count < clips; count++) {
    const clip = newClip()
    shelf.clips.push(clip)
    for (const index of [0, 1, 2]) {
      const object = await camera.segment(clip, index, index === 2, 60 * KiB)
      await spool.hold(object)
      shelf.objects.set(object.facts.id, Buffer.concat(object.parts))
      await spool.release([object.facts.id])
    }
  }
  for (const { name } of await camera.disk.list("manifest."))
    shelf.manifests.push((await camera.disk.get(name)) ?? raise())
  return shelf
}

function vaultOn(shelf: Shelf, secret = shelf.camera.household.secretText): Vault {
  const source: ObjectSource = {
    manifests: async () => shelf.manifests,
    has: async (id) => shelf.objects.has(id),
    object: async (id) => shelf.objects.get(id) ?? null,
    receipted: async () => shelf.receipts,
  }
  return new Vault(source, shelf.camera.identity.key, identityFromText(secret))
}

async function openAll(vault: Vault, view: VaultView): Promise<string[]> {
  const refusals: string[] = []
  for (const clip of view.clips)
    for (const segment of clip.segments)
      try {
        await vault.open(segment)
      } catch (error) {
        if (!isFault(error)) throw error
        refusals.push(error.message.replace(/[0-9a-f]{32}/, "…"))
      }
  return refusals
}

describe("a vault over an honest cloud", () => {
  test("lists every clip whole, without a word of alarm, and opens all of it", async () => {
    const vault = vaultOn(await recorded())
    const view = await vault.view()
    expect(view.clips.map(({ whole, ended }) => [whole, ended])).toEqual([
      [true, true],
      [true, true],
    ])
    expect(view.alerts).toEqual([])
    expect(await openAll(vault, view)).toEqual([])
  })

  test("given everything twice and in no order, lists it once", async () => {
    const shelf = await recorded()
    shelf.manifests.push(...shelf.manifests.toReversed())
    const view = await vaultOn(shelf).view()
    expect(view.clips.map(({ segments }) => segments.length)).toEqual([3, 3])
    expect(view.alerts).toEqual([])
  })

  test("says which payloads the camera itself dropped", async () => {
    const shelf = await recorded(2, { bytesMax: 256 * KiB })
    const dropped = (await vaultOn(shelf).view()).clips[0]?.segments[0] ?? raise()
    shelf.objects.delete(dropped.entry.id)
    expect((await vaultOn(shelf).view()).clips[0]?.segments[0]?.fate).toBe("dropped by the camera")
  })
})

describe("a cloud that", () => {
  test("swaps two objects is found out, and neither opens", async () => {
    const shelf = await recorded(1)
    const [first, second] = [...shelf.objects.keys()]
    const [a, b] = [shelf.objects.get(first ?? "") ?? raise(), shelf.objects.get(second ?? "") ?? raise()]
    shelf.objects.set(first ?? "", b).set(second ?? "", a)
    const vault = vaultOn(shelf)
    expect(await openAll(vault, await vault.view())).toEqual([
      "object … is not what its camera signed: its payload was changed or swapped",
      "object … is not what its camera signed: its payload was changed or swapped",
    ])
  })

  test("flips one bit of a header, or of a payload, is found out", async () => {
    for (const [at, part] of [
      [60, "its header was changed"],
      [5_000, "its payload was changed or swapped"],
    ] as const) {
      const shelf = await recorded(1)
      const [id, bytes] = [...shelf.objects][0] ?? raise()
      const flipped = Uint8Array.from(bytes)
      flipped[at] = (flipped[at] ?? 0) ^ 1
      shelf.objects.set(id, flipped)
      const vault = vaultOn(shelf)
      expect(await openAll(vault, await vault.view())).toEqual([
        `object … is not what its camera signed: ${part}`,
      ])
    }
  })

  test("cuts an object short, or puts a stranger's file in its place, is found out", async () => {
    const stranger = await (await benchCamera()).segment(newClip(), 0, false, 60 * KiB)
    for (const replace of [
      (bytes: Uint8Array) => bytes.subarray(0, -1),
      () => Buffer.concat(stranger.parts),
      () => new Uint8Array(),
    ]) {
      const shelf = await recorded(1)
      const [id, bytes] = [...shelf.objects][0] ?? raise()
      shelf.objects.set(id, replace(bytes))
      const vault = vaultOn(shelf)
      expect((await openAll(vault, await vault.view()))[0]).toContain("is not what its camera signed")
    }
  })

  test("withholds a manifest leaves a gap that the vault names", async () => {
    const shelf = await recorded()
    shelf.manifests.splice(2, 1)
    expect((await vaultOn(shelf).view()).alerts).toContainEqual({ kind: "gap", from: 2, to: 2 })
  })

  test("lost an object for which it signed is named as the loser; without a receipt nobody is", async () => {
    const shelf = await recorded(1)
    const view = await vaultOn(shelf).view()
    const segment = view.clips[0]?.segments[1] ?? raise()
    shelf.objects.delete(segment.entry.id)
    expect((await vaultOn(shelf).view()).clips[0]?.segments[1]?.fate).toBe("not heard of")
    shelf.receipts.add(segment.manifest)
    const after = (await vaultOn(shelf).view()).clips[0] ?? raise()
    expect([after.segments[1]?.fate, after.whole]).toEqual(["lost by the cloud", false])
    await expect(vaultOn(shelf).openClip(after)).rejects.toThrow("1 segments are not in the bucket")
  })

  test("slips in another camera's manifests, or garbage, changes nothing but the alerts", async () => {
    const [shelf, foreign] = [await recorded(1), await recorded(1)]
    shelf.manifests.push(...foreign.manifests, Buffer.from("{}"), new Uint8Array(70_000))
    const view = await vaultOn(shelf).view()
    expect(view.clips).toHaveLength(1)
    expect(view.alerts.filter(({ kind }) => kind === "not this camera's")).toHaveLength(5)
  })

  test("shows two histories of one camera is found out", async () => {
    const shelf = await recorded(1)
    const before = await shelf.camera.disk.list("")
    for (const { name } of before) await shelf.camera.disk.remove(name)
    // The same camera, its card wiped: it starts its chain anew with the same key.
    const other = await shelf.camera.boot()
    const object = await shelf.camera.segment(newClip(), 0, true)
    await other.hold(object)
    await other.release([object.facts.id])
    for (const { name } of await shelf.camera.disk.list("manifest."))
      shelf.manifests.push((await shelf.camera.disk.get(name)) ?? raise())
    expect((await vaultOn(shelf).view()).alerts.some(({ kind }) => kind === "fork")).toBe(true)
  })
})

test("nobody else's household key opens an object, and the refusal says no more than that", async () => {
  const shelf = await recorded(1)
  const vault = vaultOn(shelf, (await newHouseholdIdentity("x25519")).secretText)
  const view = await vault.view()
  const refusals = await openAll(vault, view)
  expect(refusals).toHaveLength(3)
  expect(refusals.join(" ")).not.toContain("AGE-SECRET")
})

function raise(): never {
  throw new Error("not there")
}
