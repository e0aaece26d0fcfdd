/**
 * Outlines as signed distances in pixels: negative inside. A distance gives soft edges for free, and the place inside a
 * rounded shape tells how it would be lit.
 */
export interface Shape {
  readonly bounds: Bounds
  distance(x: number, y: number): number
  /** How bright the surface is there, about 1. Absent: flat. */
  shade?(x: number, y: number): number
}

export interface Bounds {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

export interface Point {
  readonly x: number
  readonly y: number
}

/** A limb: two discs and what lies between them, lit as a rounded body. */
export function limb(from: Point, fromRadius: number, to: Point, toRadius: number): Shape {
  const dx = to.x - from.x
  const dy = to.y - from.y
  const squared = dx * dx + dy * dy || 1
  const along = (x: number, y: number) =>
    Math.min(1, Math.max(0, ((x - from.x) * dx + (y - from.y) * dy) / squared))
  return {
    bounds: {
      left: Math.min(from.x - fromRadius, to.x - toRadius),
      top: Math.min(from.y - fromRadius, to.y - toRadius),
      right: Math.max(from.x + fromRadius, to.x + toRadius),
      bottom: Math.max(from.y + fromRadius, to.y + toRadius),
    },
    distance(x, y) {
      const t = along(x, y)
      const offX = x - from.x - t * dx
      const offY = y - from.y - t * dy
      return Math.sqrt(offX * offX + offY * offY) - fromRadius - (toRadius - fromRadius) * t
    },
    shade(x, y) {
      const t = along(x, y)
      const radius = fromRadius + (toRadius - fromRadius) * t
      return lit((x - from.x - t * dx) / radius, (y - from.y - t * dy) / radius)
    },
  }
}

/** An ellipse turned by `angle` (clockwise on the screen), lit as a ball. */
export function ellipse(centre: Point, radiusX: number, radiusY: number, angle = 0): Shape {
  const cos = Math.cos(angle)
  const sin = Math.sin(angle)
  const reachX = Math.hypot(radiusX * cos, radiusY * sin)
  const reachY = Math.hypot(radiusX * sin, radiusY * cos)
  const place = (x: number, y: number): [number, number] => {
    const dx = x - centre.x
    const dy = y - centre.y
    return [(dx * cos + dy * sin) / radiusX, (dy * cos - dx * sin) / radiusY]
  }
  const smaller = Math.min(radiusX, radiusY)
  return {
    bounds: {
      left: centre.x - reachX,
      top: centre.y - reachY,
      right: centre.x + reachX,
      bottom: centre.y + reachY,
    },
    distance(x, y) {
      const [u, v] = place(x, y)
      return (Math.sqrt(u * u + v * v) - 1) * smaller
    },
    shade(x, y) {
      const [u, v] = place(x, y)
      return lit(u * cos - v * sin, u * sin + v * cos)
    },
  }
}

/** A closed outline, flat unless given a shade. */
export function outline(points: readonly Point[], shade?: (x: number, y: number) => number): Shape {
  const bounds = boundsOf(points)
  const distance = (x: number, y: number): number => {
    let nearest = Number.POSITIVE_INFINITY
    let inside = false
    let previous = points[points.length - 1] as Point
    for (const point of points) {
      const dx = point.x - previous.x
      const dy = point.y - previous.y
      const t = Math.min(
        1,
        Math.max(0, ((x - previous.x) * dx + (y - previous.y) * dy) / (dx * dx + dy * dy || 1)),
      )
      nearest = Math.min(nearest, (x - previous.x - t * dx) ** 2 + (y - previous.y - t * dy) ** 2)
      if (point.y > y !== previous.y > y && x < previous.x + ((y - previous.y) / dy) * dx) inside = !inside
      previous = point
    }
    return inside ? -Math.sqrt(nearest) : Math.sqrt(nearest)
  }
  return shade ? { bounds, distance, shade } : { bounds, distance }
}

export function box(left: number, top: number, right: number, bottom: number): Shape {
  return {
    bounds: { left, top, right, bottom },
    distance: (x, y) => Math.max(left - x, x - right, top - y, y - bottom),
  }
}

/** All of them as one, so that overlaps are not painted twice: a shadow. */
export function union(shapes: readonly Shape[]): Shape {
  return {
    bounds: boundsOf(
      shapes.flatMap(({ bounds: b }) => [
        { x: b.left, y: b.top },
        { x: b.right, y: b.bottom },
      ]),
    ),
    distance(x, y) {
      let nearest = Number.POSITIVE_INFINITY
      for (const shape of shapes) {
        const { left, top, right, bottom } = shape.bounds
        if (x < left - 8 || x > right + 8 || y < top - 8 || y > bottom + 8) continue
        nearest = Math.min(nearest, shape.distance(x, y))
      }
      return nearest
    },
  }
}

/** A round curve through corner points (Catmull-Rom), closed, `steps` points to a corner. */
export function rounded(points: readonly Point[], steps = 4): Point[] {
  const at = (i: number) => points[(i + points.length) % points.length] as Point
  return points.flatMap((_, i) => {
    const [a, b, c, d] = [at(i - 1), at(i), at(i + 1), at(i + 2)]
    return Array.from({ length: steps }, (_, step) => {
      const t = step / steps
      const along = (p: number, q: number, r: number, s: number) =>
        0.5 * (2 * q + (r - p) * t + (2 * p - 5 * q + 4 * r - s) * t * t + (3 * q - p - 3 * r + s) * t ** 3)
      return { x: along(a.x, b.x, c.x, d.x), y: along(a.y, b.y, c.y, d.y) }
    })
  })
}

export function boundsOf(points: readonly Point[]): Bounds {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const { x, y } of points) {
    left = Math.min(left, x)
    top = Math.min(top, y)
    right = Math.max(right, x)
    bottom = Math.max(bottom, y)
  }
  return { left, top, right, bottom }
}

/** Light from above, the right and behind the camera, on a ball whose surface faces (x, y) at that place. */
function lit(x: number, y: number): number {
  const towards = Math.sqrt(Math.max(0, 1 - x * x - y * y))
  return 0.62 + 0.5 * Math.max(0, 0.4 * x - 0.5 * y + 0.77 * towards)
}
