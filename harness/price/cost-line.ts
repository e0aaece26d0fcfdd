import type { Bytes, Seconds } from "../../firmware/units.ts"

/** What an object of some size costs: so much for being an object, and so much for each of its bytes. */
export interface CostLine {
  readonly perObject: Seconds
  readonly perByte: Seconds
}

export interface CostPoint {
  readonly bytes: Bytes
  readonly seconds: Seconds
}

/**
 * The line through what was measured, by least squares; neither part is below zero. Of one size nothing can be told
 * apart: then all of it counts as the bytes'.
 */
export function costLine(points: readonly CostPoint[]): CostLine {
  const mean = (value: (point: CostPoint) => number) =>
    points.reduce((sum, point) => sum + value(point), 0) / points.length
  const [bytes, seconds] = [mean((point) => point.bytes), mean((point) => point.seconds)]
  const spread = mean((point) => (point.bytes - bytes) ** 2)
  const slope = mean((point) => (point.bytes - bytes) * (point.seconds - seconds)) / spread
  const rest = seconds - slope * bytes
  if (spread === 0 || rest < 0) return { perObject: 0, perByte: Math.max(0, seconds / bytes) }
  return slope < 0 ? { perObject: Math.max(0, seconds), perByte: 0 } : { perObject: rest, perByte: slope }
}

export function costOf({ perObject, perByte }: CostLine, bytes: Bytes): Seconds {
  return perObject + perByte * bytes
}
