import { hash } from "node:crypto"

/**
 * Merkle tree hashes and the checking of proofs (RFC 6962 §2.1, in the words of RFC 9162 §2.1.3.2 and §2.1.4.2). Sizes
 * and indices are safe integers; all arithmetic is on numbers beyond 32 bits. Nothing here throws on what a stranger
 * sends: a proof of the wrong length, or with hashes of another size, is simply no proof.
 */
export const HASH_BYTES = 32

export function sha256(bytes: Uint8Array): Buffer {
  return hash("sha256", bytes, "buffer") as unknown as Buffer
}

/** The root of a tree without leaves. */
export const EMPTY_ROOT: Buffer = sha256(new Uint8Array(0))

const LEAF = 0x00
const NODE = 0x01

export function leafHash(data: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(1 + data.length)
  bytes[0] = LEAF
  bytes.set(data, 1)
  return sha256(bytes)
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(1 + left.length + right.length)
  bytes[0] = NODE
  bytes.set(left, 1)
  bytes.set(right, 1 + left.length)
  return sha256(bytes)
}

/** The Merkle tree hash over hashes that are leaves already, or subtrees of one size with a smaller last one. */
export function foldHashes(hashes: readonly Uint8Array[]): Uint8Array {
  const [only] = hashes
  if (only === undefined) return EMPTY_ROOT
  if (hashes.length === 1) return only
  const split = largestPowerBelow(hashes.length)
  return nodeHash(foldHashes(hashes.slice(0, split)), foldHashes(hashes.slice(split)))
}

/** The largest power of two smaller than `size`, which is at least 2. */
export function largestPowerBelow(size: number): number {
  let power = 1
  while (power * 2 < size) power *= 2
  return power
}

/** Is the leaf with this hash the one at `index` of the tree with `size` leaves and this root? */
export function provesInclusion(
  { index, size }: { readonly index: number; readonly size: number },
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isCount(index) || !isCount(size) || index >= size) return false
  if (!areHashes([leaf, root, ...proof])) return false
  const path = new Path(index, size - 1)
  let found = leaf
  for (const sibling of proof) {
    if (path.isAtRoot) return false
    found = path.goUp() === "left" ? nodeHash(sibling, found) : nodeHash(found, sibling)
  }
  return path.isAtRoot && equal(found, root)
}

export interface TreeHead {
  readonly size: number
  readonly root: Uint8Array
}

/** Is `later` what `earlier` has become by appending alone? */
export function provesConsistency(earlier: TreeHead, later: TreeHead, proof: readonly Uint8Array[]): boolean {
  if (!isCount(earlier.size) || !isCount(later.size) || earlier.size > later.size) return false
  if (!areHashes([earlier.root, later.root, ...proof])) return false
  if (earlier.size === 0) return proof.length === 0 && equal(earlier.root, EMPTY_ROOT)
  if (earlier.size === later.size) return proof.length === 0 && equal(earlier.root, later.root)
  const isPower = largestPowerBelow(earlier.size * 2) === earlier.size
  const [first, ...rest] = isPower ? [earlier.root, ...proof] : proof
  if (first === undefined || proof.length === 0) return false
  const path = new Path(earlier.size - 1, later.size - 1)
  path.skipRightEdges()
  let old = first
  let now = first
  for (const sibling of rest) {
    if (path.isAtRoot) return false
    if (path.goUp() === "left") {
      old = nodeHash(sibling, old)
      now = nodeHash(sibling, now)
    } else now = nodeHash(now, sibling)
  }
  return path.isAtRoot && equal(old, earlier.root) && equal(now, later.root)
}

/** From one node up to the root, beside the tree's last node (RFC 9162: fn and sn). */
class Path {
  #node: number
  #last: number

  constructor(node: number, last: number) {
    this.#node = node
    this.#last = last
  }

  get isAtRoot(): boolean {
    return this.#last === 0
  }

  skipRightEdges(): void {
    while (this.#node % 2 === 1) this.#shift()
  }

  /** On which side of this node the next sibling stands. */
  goUp(): "left" | "right" {
    const side = this.#node % 2 === 1 || this.#node === this.#last ? "left" : "right"
    // The last node of a level has no sibling while it is a left one: it goes up as it is.
    if (side === "left") while (this.#node % 2 === 0 && this.#node !== 0) this.#shift()
    this.#shift()
    return side
  }

  #shift(): void {
    this.#node = Math.floor(this.#node / 2)
    this.#last = Math.floor(this.#last / 2)
  }
}

function areHashes(all: readonly Uint8Array[]): boolean {
  return all.every(({ length }) => length === HASH_BYTES)
}

export function equal(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
