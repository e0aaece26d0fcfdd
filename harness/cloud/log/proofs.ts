import { EMPTY_ROOT, largestPowerBelow, nodeHash } from "./merkle.ts"

/**
 * Making proofs (RFC 6962 §2.1.1 and §2.1.2) out of the hashes of complete subtrees, wherever those come from.
 * `node(level, index)` is the hash over the leaves from `index * 2^level` to `(index + 1) * 2^level`, all of them there.
 */
export interface TreeNodes {
  node(level: number, index: number): Promise<Uint8Array>
}

export async function rootOf(tree: TreeNodes, size: number): Promise<Uint8Array> {
  return size === 0 ? EMPTY_ROOT : range(tree, 0, size)
}

/** That the leaf at `index` is in the tree of the first `size` leaves; `index` is below `size`. */
export async function inclusionProof(tree: TreeNodes, index: number, size: number): Promise<Uint8Array[]> {
  const proof: Promise<Uint8Array>[] = []
  let from = 0
  let to = size
  while (to - from > 1) {
    const split = from + largestPowerBelow(to - from)
    if (index < split) {
      proof.push(range(tree, split, to))
      to = split
    } else {
      proof.push(range(tree, from, split))
      from = split
    }
  }
  return (await Promise.all(proof)).reverse()
}

/** That the tree of the first `size` leaves begins with that of the first `earlier` ones; `earlier` is at most `size`. */
export async function consistencyProof(
  tree: TreeNodes,
  earlier: number,
  size: number,
): Promise<Uint8Array[]> {
  if (earlier === 0 || earlier === size) return []
  const proof: Promise<Uint8Array>[] = []
  let from = 0
  let to = size
  // While the earlier tree ends inside, one half of it is known on both sides.
  while (earlier !== to) {
    const split = from + largestPowerBelow(to - from)
    if (earlier <= split) {
      proof.push(range(tree, split, to))
      to = split
    } else {
      proof.push(range(tree, from, split))
      from = split
    }
  }
  // The earlier tree's own root the verifier has.
  if (from > 0) proof.push(range(tree, from, to))
  return (await Promise.all(proof)).reverse()
}

/** The hash over the leaves from `from` to `to`, where `from` is a multiple of the power of two that holds them. */
async function range(tree: TreeNodes, from: number, to: number): Promise<Uint8Array> {
  const length = to - from
  const level = Math.log2(length)
  if (Number.isInteger(level)) return tree.node(level, from / length)
  const split = from + largestPowerBelow(length)
  const [left, right] = await Promise.all([range(tree, from, split), range(tree, split, to)])
  return nodeHash(left, right)
}
