/** A picture as its bytes lie, 4:2:0, without padding between rows. */
export interface Planes {
  readonly width: number
  readonly height: number
  readonly luma: Uint8Array
  /** Half as wide and high, rounded up. */
  readonly chroma: { readonly blue: Uint8Array; readonly red: Uint8Array }
}

/**
 * How a picture was held: column x and row y of it belong at (a·x + c·y, b·x + d·y) of the upright one, up to a shift. Each
 * is -1, 0 or 1: the eight orientations of EXIF, and the quarter turns of a telephone's films.
 */
export interface Turn {
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number
}

export const UPRIGHT: Turn = { a: 1, b: 0, c: 0, d: 1 }

/** Of a display matrix (ISO/IEC 14496-12 §6.2.2: nine 32-bit integers, a b u c d v x y w); what is no quarter turn stays. */
export function turnOf(matrix: Int32Array): Turn {
  const [a = 0, b = 0, , c = 0, d = 0] = matrix
  const turn = { a: Math.sign(a), b: Math.sign(b), c: Math.sign(c), d: Math.sign(d) }
  const isQuarterTurn = (a === 0) === (d === 0) && (b === 0) === (c === 0) && (a === 0) !== (b === 0)
  return isQuarterTurn ? turn : UPRIGHT
}

export function upright(planes: Planes, turn: Turn): Planes {
  if (turn.a === 1 && turn.d === 1) return planes
  const { width, height, luma, chroma } = planes
  const [halfWidth, halfHeight] = [(width + 1) >> 1, (height + 1) >> 1]
  const isOnSide = turn.a === 0
  return {
    ...{ width: isOnSide ? height : width, height: isOnSide ? width : height },
    luma: turned(luma, width, height, turn),
    chroma: {
      blue: turned(chroma.blue, halfWidth, halfHeight, turn),
      red: turned(chroma.red, halfWidth, halfHeight, turn),
    },
  }
}

function turned(plane: Uint8Array, width: number, height: number, { a, b, c, d }: Turn): Uint8Array {
  const out = new Uint8Array(plane.length)
  const outWidth = a === 0 ? height : width
  const left = (a < 0 ? width - 1 : 0) + (c < 0 ? height - 1 : 0)
  const top = (b < 0 ? width - 1 : 0) + (d < 0 ? height - 1 : 0)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      out[(top + b * x + d * y) * outWidth + left + a * x + c * y] = plane[y * width + x] ?? 0
  return out
}
