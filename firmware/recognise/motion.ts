import type { Frame } from "../ports.ts"
import { type Milliseconds, seconds } from "../units.ts"
import { Background, type Differences } from "./background.ts"
import { type Grid, gridOf } from "./grid.ts"
import { type Region, regionsOf } from "./regions.ts"

/**
 * What one frame's difference to the background says.
 *
 *   settling   too little was seen before to compare with
 *   dark       there is no light to see by
 *   light      the light itself changed, almost everywhere: nothing else can be said
 *   still      nothing but noise and drops
 *   sway       only what sways by itself, leaves, or differs too little to be told apart from that
 *   unsure     something is there that was not, for the first time
 *   moving     and it was there, or close by, in the frame before as well
 */
export type MotionKind = "settling" | "dark" | "light" | "still" | "sway" | "unsure" | "moving"

export interface MotionSeen {
  readonly kind: MotionKind
  /** What part of the picture is not as it was, 0 to 1. */
  readonly share: number
  /** Where. Largest first; none unless "unsure" or "moving". */
  readonly regions: readonly Region[]
}

/** Frames that a background is made of at least. */
const FRAMES_MIN = 2
/** Cells that count as a body, of 64 to a picture's longer side. */
const CELLS_MIN = 4
/** Of the picture: when as much changes, and nearly all of it one way, it is the light. */
const LIGHT_SHARE = 0.25
const ONE_WAY = 0.8
/** Luma that a picture reaches somewhere, unless it is dark. */
const LIT = 34
/** Light that stays is the light from now on. */
const LIGHT_STAYS = 4
/** Between frames further apart than this the scene may have changed by itself. */
const GAP: Milliseconds = seconds(30)
/** How far a body gets in a second, of the picture's longer side. */
const REACH_PER_SECOND = 0.45
const ALIKE = 6
/** What part of a box is not as it was, where somebody came: a parked car with a leaf before it is no visitor. */
const SPECK = 0.05
const SPECK_CELLS_MAX = 8

/** Compares frames, in order, with a background that it learns from them. A frame of 640x360 takes about 0.3 ms on x86-64. */
export class Motion {
  #background: Background | null = null
  #changed = new Uint8Array(0)
  #at: Milliseconds = Number.NEGATIVE_INFINITY
  #regions: readonly Region[] = []
  /** So many frames one after another were "light". */
  #lights = 0

  /** The next frame. */
  look(frame: Frame): MotionSeen {
    const grid = gridOf(frame)
    const background = this.#backgroundFor(grid, frame.at)
    const passed = frame.at - this.#at
    this.#at = frame.at
    const before = this.#regions
    const settled = background.frames >= FRAMES_MIN
    const differences = background.changes(grid, this.#changed)
    const regions = settled ? regionsOf(this.#changed, grid, CELLS_MIN) : []
    const kind = settled ? kindOf(grid, differences, regions) : "settling"
    this.#lights = kind === "light" ? this.#lights + 1 : 0
    if (this.#lights >= LIGHT_STAYS) background.renew()
    if (kind === "light" || kind === "dark") return { kind, share: differences.share, regions: [] }
    background.learn(grid, settled ? this.#changed : null)
    this.#regions = regions
    if (kind !== "unsure") return { kind, share: differences.share, regions: [] }
    const again = regions.some((region) => before.some((other) => follows(region, other, passed)))
    return { kind: again ? "moving" : "unsure", share: differences.share, regions }
  }

  /** Within these edges (fractions of the picture), is more than a speck not as it was, sway and all, in the latest frame? */
  differsWithin({ left, top, right, bottom }: Omit<Region, "cells">): boolean {
    const background = this.#background
    if (!background || background.frames < FRAMES_MIN) return true // nobody can tell
    const { differ, of } = background.differWithin(left, top, right, bottom)
    return differ >= Math.min(SPECK_CELLS_MAX, SPECK * of)
  }

  #backgroundFor(grid: Grid, at: Milliseconds): Background {
    let background = this.#background
    if (!background?.fits(grid)) {
      background = new Background(grid)
      this.#background = background
      this.#changed = new Uint8Array(grid.cells.length)
    } else if (at - this.#at > GAP || at < this.#at) background.renew()
    else return background
    this.#regions = []
    return background
  }
}

function kindOf(grid: Grid, { share, oneWay, faint }: Differences, regions: readonly Region[]): MotionKind {
  if (isDark(grid)) return "dark"
  if (share > LIGHT_SHARE && oneWay > ONE_WAY) return "light"
  if (regions.length > 0) return "unsure"
  return faint >= CELLS_MIN ? "sway" : "still"
}

function isDark({ cells }: Grid): boolean {
  let brightest = 0
  for (const value of cells) if (value > brightest) brightest = value
  return brightest < LIT
}

/** May these be the same body, `passed` apart? */
function follows(now: Region, before: Region, passed: Milliseconds): boolean {
  const reach = Math.min(1, REACH_PER_SECOND * Math.max(0.2, passed / 1_000))
  const across = Math.max(0, now.left - before.right, before.left - now.right)
  const down = Math.max(0, now.top - before.bottom, before.top - now.bottom)
  const alike = now.cells <= ALIKE * before.cells && before.cells <= ALIKE * now.cells
  return alike && across <= reach && down <= reach
}
