/** A rectangle by its edges, in any unit: right of left, below of top. */
export interface Edges {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

export function areaOf({ left, top, right, bottom }: Edges): number {
  return (right - left) * (bottom - top)
}

/** Intersection over union: 0 where they have nothing in common, 1 where they are the same. */
export function overlap(a: Edges, b: Edges): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left)
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
  if (width <= 0 || height <= 0) return 0
  const shared = width * height
  return shared / (areaOf(a) + areaOf(b) - shared)
}
