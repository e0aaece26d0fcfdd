/** Numbers as blocks, for a terminal. */

const LEVELS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const
const FULL = "█"
const EMPTY = "░"

/** How much of `whole` there is; full only when it is all there. */
export function meter(part: number, whole: number, width: number): string {
  const share = whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 1
  const full = Math.floor(share * width)
  return FULL.repeat(full) + EMPTY.repeat(width - full)
}

/** The newest `width` values, the newest at the right, from zero to the greatest of them; null: a gap. */
export function sparkline(values: readonly (number | null)[], width: number): string {
  const shown = values.slice(-width)
  const most = Math.max(...shown.map((value) => value ?? 0), Number.MIN_VALUE)
  const blocks = shown.map((value) => {
    if (value === null) return " "
    return LEVELS[Math.min(LEVELS.length - 1, Math.floor((value / most) * LEVELS.length))] ?? " "
  })
  return blocks.join("").padStart(width)
}
