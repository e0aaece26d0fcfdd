import { expect, test } from "vitest"
import { identityFromText } from "../../../harness/owner/age-identity.ts"
import { Vault } from "../../../harness/owner/vault.ts"
import { benchCamera, newClip } from "../../firmware/delivery/bench-camera.ts"
import { mutant } from "../../mutants.ts"

/** A vault over all that a camera signed: one clip whose segments have these indices, in the order of their signing. */
async function vaultOf(indices: readonly number[], TheVault: typeof Vault = Vault): Promise<Vault> {
  const camera = await benchCamera()
  const spool = await camera.boot()
  const objects = new Map<string, Uint8Array>()
  const clip = newClip()
  for (const index of indices) {
    const object = await camera.segment(clip, index, index === Math.max(...indices))
    objects.set(object.facts.id, Buffer.concat(object.parts))
    await spool.hold(object)
    await spool.release([object.facts.id])
  }
  const manifests: Uint8Array[] = []
  for (const { name } of await camera.disk.list("manifest."))
    manifests.push((await camera.disk.get(name)) ?? new Uint8Array())
  const source = {
    manifests: async () => manifests,
    has: async (id: string) => objects.has(id),
    object: async (id: string) => objects.get(id) ?? null,
    receipted: async () => new Set<string>(),
  }
  return new TheVault(source, camera.identity.key, identityFromText(camera.household.secretText))
}

async function open(vault: Vault): Promise<Buffer> {
  const [clip] = (await vault.view()).clips
  if (!clip) throw new Error("no clip")
  return Buffer.from(await vault.openClip(clip))
}

test.each([[[0, 1, 2]], [[2, 0, 1]]])("a clip of segments %j is joined in their order", async (indices) => {
  const vault = await vaultOf(indices)
  const [clip] = (await vault.view()).clips
  expect(clip?.whole).toBe(true)
  const inOrder = [0, 1, 2].map((index) => clip?.segments.find(({ entry }) => entry.index === index))
  const parts = await Promise.all(inOrder.flatMap((segment) => (segment ? [vault.open(segment)] : [])))
  expect((await open(vault)).equals(Buffer.concat(parts))).toBe(true)
})

const FLAWED: readonly (readonly [string, readonly number[]])[] = [
  ["begins with a hole", [1, 2]],
  ["has a hole", [0, 2]],
  ["claims a segment twice", [0, 1, 1, 2]],
  ["claims its first twice", [0, 0]],
  ["claims one twice and lacks another", [0, 0, 2]],
]

async function refuses(indices: readonly number[], TheVault?: typeof Vault): Promise<void> {
  const vault = await vaultOf(indices, TheVault)
  expect((await vault.view()).clips[0]?.whole).toBe(false)
  await expect(open(vault)).rejects.toMatchObject({ kind: "unavailable" })
}

test.each(FLAWED)("a clip that %s is not whole, and is not opened as if it were", async (_what, indices) => {
  await refuses(indices)
})

test.each(FLAWED)("a vault that joins a clip that %s is found out", async (_what, indices) => {
  const path = "harness/owner/vault.ts"
  const bent = await mutant<{ Vault: typeof Vault }>(path, {
    path,
    from: "if (hole !== -1)",
    to: "if (false)",
  })
  await expect(refuses(indices, bent.Vault)).rejects.toThrow("promise resolved")
})
