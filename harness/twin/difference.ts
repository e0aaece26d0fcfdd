/** One thing that came out otherwise. */
export interface Difference {
  /** "event", "time", "clip", "picture", "presentation time", "boxes" … */
  readonly what: string
  readonly where: string
  readonly expected: string
  readonly got: string
}

export const NOTHING = "nothing"

export function differenceLine({ what, where, expected, got }: Difference): string {
  return `${what}, ${where}: expected ${expected}, got ${got}`
}
