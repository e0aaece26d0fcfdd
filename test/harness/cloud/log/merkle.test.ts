import fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  EMPTY_ROOT,
  equal,
  foldHashes,
  leafHash,
  nodeHash,
  provesConsistency,
  provesInclusion,
} from "../../../../harness/cloud/log/merkle.ts"
import {
  consistencyProof,
  inclusionProof,
  rootOf,
  type TreeNodes,
} from "../../../../harness/cloud/log/proofs.ts"
import { mutant } from "../../../mutants.ts"
import { CONSISTENCIES, HASHES, INCLUSIONS, LEAVES, ROOTS } from "./vectors.ts"

type Merkle = typeof import("../../../../harness/cloud/log/merkle.ts")

const bytes = (hex: string): Buffer => Buffer.from(hex, "hex")
const hashesOf = (hashes: readonly string[]): Buffer[] => hashes.map(bytes)
const root = (size: number): Buffer => bytes(ROOTS[size - 1] ?? "")
const leaf = (index: number): Buffer => leafHash(bytes(LEAVES[index] ?? ""))

/** The tree over `leaves`, straight from RFC 6962's recursion. */
function treeOver(leaves: readonly Uint8Array[]): TreeNodes {
  return {
    node: async (level, index) => foldHashes(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)),
  }
}

/** What of the published hashes a Merkle tree gets wrong. */
function wrongHashes({ leafHash, nodeHash, EMPTY_ROOT }: Merkle): string[] {
  const made = {
    empty: EMPTY_ROOT,
    emptyLeaf: leafHash(new Uint8Array(0)),
    leaf: leafHash(Buffer.from("L123456")),
    node: nodeHash(Buffer.from("N123"), Buffer.from("N456")),
  }
  return Object.entries(made).flatMap(([name, hash]) =>
    hash.toString("hex") === HASHES[name as keyof typeof HASHES] ? [] : [name],
  )
}

describe("RFC 6962 hashes", () => {
  test("are those of the published vectors", async () => {
    expect(wrongHashes(await import("../../../../harness/cloud/log/merkle.ts"))).toEqual([])
  })

  test.each([
    { from: "const LEAF = 0x00", to: "const LEAF = 0x01" },
    { from: "const NODE = 0x01", to: "const NODE = 0x00" },
  ])("without their domains apart they are not: $to", async (mistake) => {
    const path = "harness/cloud/log/merkle.ts"
    expect(wrongHashes(await mutant<Merkle>(path, { path, ...mistake }))).not.toEqual([])
  })

  test("make the published roots of one to eight leaves", async () => {
    for (let size = 1; size <= LEAVES.length; size++)
      expect(equal(await rootOf(treeOver(LEAVES.map((_, i) => leaf(i))), size), root(size))).toBe(true)
  })
})

describe("inclusion", () => {
  test.each(INCLUSIONS)(
    "of leaf %i among %i is proven as published, and made the same",
    async (index, size, proof) => {
      const made = await inclusionProof(treeOver(LEAVES.map((_, i) => leaf(i))), index, size)
      expect(made.map((hash) => Buffer.from(hash).toString("hex"))).toEqual(proof)
      expect(provesInclusion({ index, size }, leaf(index), hashesOf(proof), root(size))).toBe(true)
    },
  )

  test.each(INCLUSIONS)(
    "of leaf %i among %i: every published kind of broken proof is refused",
    (index, size, proof) => {
      const hashes = hashesOf(proof)
      const good = { index, size, leaf: leaf(index), proof: hashes, root: root(size) }
      const other = bytes("abacaba000000000000000000000000000000000000000000060061e00123456")
      const broken = [
        { ...good, index: index - 1 },
        { ...good, index: index + 1 },
        { ...good, index: index ^ 2 },
        { ...good, size: size * 2 },
        { ...good, size: Math.floor(size / 2) },
        { ...good, leaf: Buffer.from("WrongLeaf") },
        { ...good, root: EMPTY_ROOT },
        { ...good, root: other },
        ...brokenProofs(hashes, [root(size)]).map((proof) => ({ ...good, proof })),
        ...(hashes.length > 1 ? [{ ...good, proof: [hashes[0] ?? other, other, ...hashes.slice(1)] }] : []),
      ]
      for (const { index, size, leaf, proof, root } of broken)
        expect(provesInclusion({ index, size }, leaf, proof, root)).toBe(false)
    },
  )
})

describe("consistency", () => {
  test.each(CONSISTENCIES)(
    "of %i with %i leaves is proven as published, and made the same",
    async (earlier, later, proof) => {
      const made = await consistencyProof(treeOver(LEAVES.map((_, i) => leaf(i))), earlier, later)
      expect(made.map((hash) => Buffer.from(hash).toString("hex"))).toEqual(proof)
      const heads = [earlier, later].map((size) => ({ size, root: root(size) })) as [Head, Head]
      expect(provesConsistency(...heads, hashesOf(proof))).toBe(true)
    },
  )

  test.each(CONSISTENCIES.filter(([, , proof]) => proof.length > 0))(
    "of %i with %i leaves: every published kind of broken proof is refused",
    (earlier, later, proof) => {
      for (const [one, two, broken] of brokenConsistencies(earlier, later, proof))
        expect(provesConsistency(one, two, broken)).toBe(false)
    },
  )

  test("of trees of one size holds for one root and no proof alone", () => {
    const head = { size: 3, root: root(3) }
    expect(provesConsistency(head, head, [])).toBe(true)
    expect(provesConsistency(head, { size: 3, root: root(4) }, [])).toBe(false)
    expect(provesConsistency(head, head, [root(3)])).toBe(false)
    expect(provesConsistency({ size: 0, root: EMPTY_ROOT }, head, [])).toBe(true)
    expect(provesConsistency({ size: 0, root: EMPTY_ROOT }, head, [root(3)])).toBe(false)
    expect(provesConsistency({ size: 0, root: root(1) }, head, [])).toBe(false)
    expect(provesConsistency(head, { size: 0, root: EMPTY_ROOT }, [])).toBe(false)
  })

  test("a check that leaves out the earlier root takes broken proofs", async () => {
    const path = "harness/cloud/log/merkle.ts"
    const from = "equal(old, earlier.root) && equal(now, later.root)"
    const unsafe = await mutant<Merkle>(path, { path, from, to: "equal(now, later.root)" })
    const taken = CONSISTENCIES.filter(([, , proof]) => proof.length > 0).flatMap((vector) =>
      brokenConsistencies(...vector).filter((broken) => unsafe.provesConsistency(...broken)),
    )
    expect(taken).not.toEqual([])
  })
})

type Head = { readonly size: number; readonly root: Buffer }

function brokenConsistencies(
  earlier: number,
  later: number,
  proof: readonly string[],
): [Head, Head, Buffer[]][] {
  const hashes = hashesOf(proof)
  const one = { size: earlier, root: root(earlier) }
  const two = { size: later, root: root(later) }
  const wrong = Buffer.from("WrongRoot")
  return [
    [{ ...one, size: earlier - 1 }, two, hashes],
    [{ ...one, size: earlier + 1 }, two, hashes],
    [{ ...one, size: earlier ^ 2 }, two, hashes],
    [one, { ...two, size: later * 2 }, hashes],
    [one, { ...two, size: Math.floor(later / 2) }, hashes],
    [{ ...one, root: wrong }, two, hashes],
    [one, { ...two, root: wrong }, hashes],
    [{ ...one, root: two.root }, { ...two, root: one.root }, hashes],
    [{ ...one, root: bytes(HASHES.leaf) }, two, hashes],
    [one, two, []],
    ...brokenProofs(hashes, [one.root, two.root, hashes[0] ?? wrong]).map(
      (broken): [Head, Head, Buffer[]] => [one, two, broken],
    ),
  ]
}

/** Garbage and `strays` before and behind, a part left out, a bit of each part turned. */
function brokenProofs(proof: readonly Buffer[], strays: readonly Buffer[]): Buffer[][] {
  const turned = proof.map((hash, i) =>
    proof.with(i, Buffer.from(hash.map((byte, at) => (at === 0 ? byte ^ 8 : byte)))),
  )
  const added = [Buffer.alloc(0), ...strays].flatMap((stray) => [
    [...proof, stray],
    [stray, ...proof],
  ])
  return [...turned, ...added, ...(proof.length > 0 ? [proof.slice(0, -1)] : [])]
}

describe("any tree", () => {
  const leaves = Array.from({ length: 300 }, (_, i) => leafHash(Buffer.from([i >> 8, i & 255])))
  const tree = treeOver(leaves)

  test("proves each of its leaves and each of its beginnings", async () => {
    const sizes = fc.integer({ min: 1, max: leaves.length })
    await fc.assert(
      fc.asyncProperty(sizes, sizes, async (one, other) => {
        const [earlier, size] = [Math.min(one, other), Math.max(one, other)]
        const head = { size, root: await rootOf(tree, size) }
        const before = { size: earlier, root: await rootOf(tree, earlier) }
        const index = earlier - 1
        const inclusion = await inclusionProof(tree, index, size)
        expect(provesInclusion({ index, size }, leaves[index] ?? EMPTY_ROOT, inclusion, head.root)).toBe(true)
        expect(provesConsistency(before, head, await consistencyProof(tree, earlier, size))).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  test("takes no proof that strangers make up, and falls over none", async () => {
    const head = { size: 300, root: await rootOf(tree, 300) }
    const hashes = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 70 })
    const numbers = fc.oneof(fc.integer(), fc.double(), fc.constant(Number.MAX_SAFE_INTEGER))
    fc.assert(
      fc.property(
        numbers,
        numbers,
        hashes,
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (a, b, proof, root) => {
          expect(provesInclusion({ index: a, size: b }, root, proof, head.root)).toBe(false)
          if (a !== 0)
            expect(provesConsistency({ size: a, root }, { size: b, root: head.root }, proof)).toBe(false)
        },
      ),
      { numRuns: 500 },
    )
  })

  test("a node is not a leaf: two leaves are not one that holds their hashes", () => {
    const [one = EMPTY_ROOT, two = EMPTY_ROOT] = leaves
    expect(equal(nodeHash(one, two), leafHash(Buffer.concat([one, two])))).toBe(false)
  })
})
