import type { Seconds } from "../../../firmware/units.ts"

/** A small JPEG for the page, masked as recognition saw it. */
export interface Still {
  /** Of the film; 0 for a picture. */
  readonly at: Seconds
  readonly width: number
  readonly height: number
  readonly jpeg: Uint8Array
}

/** By file, in order of time. */
export type Stills = ReadonlyMap<string, readonly Still[]>

export const sourceOf = ({ jpeg }: Still): string =>
  `data:image/jpeg;base64,${Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.length).toString("base64")}`

/** The one nearest to `at`; null: there are none. */
export function nearest(stills: readonly Still[], at: Seconds): Still | null {
  return stills.reduce<Still | null>(
    (best, still) => (best && Math.abs(best.at - at) <= Math.abs(still.at - at) ? best : still),
    null,
  )
}
