import type { Milliseconds } from "../../firmware/units.ts"

/**
 * What the gpiod tools are told, in the words of version 1.6 (Debian bookworm) and 2 (trixie). Nothing else here knows
 * that the two differ in their arguments.
 *
 * Inputs and outputs alike are pulled down. An input whose wire came off then reads low, and the bell, a button to 3.3 V,
 * needs no resistor. An output that nobody drives then falls low, where the chip forgets what it drove.
 */
export type GpiodVersion = 1 | 2

/** How version 2 names us to whoever asks the kernel; version 1 always says the tool's own name. */
export const CONSUMER = "obscura"

export function getLevels(version: GpiodVersion, chip: string, pins: readonly number[]): string[] {
  return version === 1
    ? ["--bias=pull-down", chip, ...pins.map(String)]
    : ["--numeric", "--bias=pull-down", `--consumer=${CONSUMER}`, `--chip=${chip}`, ...pins.map(String)]
}

/** It prints an edge as "TYPE PIN": see `edgeLevel`. */
export function watchEdges(version: GpiodVersion, chip: string, pins: readonly number[]): string[] {
  const format = "--format=%e %o"
  return version === 1
    ? ["--line-buffered", "--bias=pull-down", format, chip, ...pins.map(String)]
    : [
        "--banner",
        "--edges=both",
        "--bias=pull-down",
        format,
        `--consumer=${CONSUMER}`,
        `--chip=${chip}`,
        ...pins.map(String),
      ]
}

/** The level after an edge of this type: 1 says 0 for falling and 1 for rising, 2 says 2 and 1. null: no such type. */
export function edgeLevel(version: GpiodVersion, type: number): 0 | 1 | null {
  if (type === 1) return 1
  return type === (version === 1 ? 0 : 2) ? 0 : null
}

/** Holds the output until it is ended. */
export function holdLevel(version: GpiodVersion, chip: string, pin: number, level: 0 | 1): string[] {
  return version === 1
    ? ["--mode=signal", "--bias=pull-down", chip, `${pin}=${level}`]
    : ["--banner", "--bias=pull-down", `--consumer=${CONSUMER}`, `--chip=${chip}`, `${pin}=${level}`]
}

/**
 * Blinks the output until it is ended, from high: version 2 only. `durations` are high, low, high, low and so on, an
 * even count, so that the sequence begins high anew.
 */
export function holdPattern(chip: string, pin: number, durations: readonly Milliseconds[]): string[] {
  const periods = durations.map((duration) => `${Math.max(1, Math.round(duration))}ms`).join(",")
  return [`--toggle=${periods}`, ...holdLevel(2, chip, pin, 1)]
}

export function describeLines(version: GpiodVersion, chip: string, pins: readonly number[]): string[] {
  // Version 1 describes whole chips.
  return version === 1 ? [chip] : [`--chip=${chip}`, ...pins.map(String)]
}
