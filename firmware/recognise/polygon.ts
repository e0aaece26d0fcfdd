/** Corners as [x, y], fractions of the picture from left and top. The last is joined to the first. */
export type Polygon = readonly (readonly [x: number, y: number])[]

const AREA_MIN = 1e-6

/** Why these corners are no polygon to draw with; null: they are. In one line, for whoever wrote them. */
export function polygonFlaw(corners: Polygon): string | null {
  for (const [x, y] of corners)
    if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1))
      return `corner [${x}, ${y}] lies outside the picture; write fractions from 0 to 1`
  if (edgesCross(corners)) return "its edges cross; give the corners in order, one round"
  if (Math.abs(areaOf(corners)) < AREA_MIN) return "it has no area; give corners that are not on one line"
  return null
}

/** Even-odd; a point on the edge may be either. */
export function contains(polygon: Polygon, x: number, y: number): boolean {
  let inside = false
  eachEdge(polygon, ([ax, ay], [bx, by]) => {
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside
  })
  return inside
}

/** Do the pixel [left, right) x [top, bottom) and the polygon have any point in common? Never no where they have. */
export function touches(
  polygon: Polygon,
  pixel: { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number },
): boolean {
  const { left, top, right, bottom } = pixel
  if (contains(polygon, (left + right) / 2, (top + bottom) / 2)) return true
  let touched = false
  eachEdge(polygon, ([ax, ay], [bx, by]) => {
    touched ||= crosses(ax, ay, bx, by, left, top, right, bottom)
  })
  return touched
}

/** Liang and Barsky's clipping: is any of the segment within the rectangle? */
function crosses(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  left: number,
  top: number,
  right: number,
  bottom: number,
): boolean {
  let [from, to] = [0, 1]
  const clip = (step: number, room: number): boolean => {
    if (step === 0) return room >= 0
    const share = room / step
    if (step < 0) from = Math.max(from, share)
    else to = Math.min(to, share)
    return from <= to
  }
  return (
    clip(ax - bx, ax - left) &&
    clip(bx - ax, right - ax) &&
    clip(ay - by, ay - top) &&
    clip(by - ay, bottom - ay)
  )
}

function areaOf(corners: Polygon): number {
  let doubled = 0
  eachEdge(corners, ([ax, ay], [bx, by]) => {
    doubled += ax * by - bx * ay
  })
  return doubled / 2
}

function edgesCross(corners: Polygon): boolean {
  const edges: [Corner, Corner][] = []
  eachEdge(corners, (a, b) => edges.push([a, b]))
  return edges.some(([a, b], first) =>
    edges.some(([c, d], second) => {
      const apart = second - first
      if (apart < 2 || apart === edges.length - 1) return false
      return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0
    }),
  )
}

type Corner = readonly [x: number, y: number]

function side([ax, ay]: Corner, [bx, by]: Corner, [cx, cy]: Corner): number {
  return Math.sign((bx - ax) * (cy - ay) - (by - ay) * (cx - ax))
}

function eachEdge(corners: Polygon, edge: (from: Corner, to: Corner) => void): void {
  let from = corners.at(-1)
  for (const to of corners) {
    if (from) edge(from, to)
    from = to
  }
}
