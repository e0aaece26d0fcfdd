interface Range {
  readonly from: number
  readonly to: number
}

/** Whole numbers as ranges, both ends included; sorted and merged, so that a question costs a search by halves. */
export class RangeSet {
  #ranges: Range[] = []

  /** In order. */
  get all(): readonly Range[] {
    return this.#ranges
  }

  add({ from, to }: Range): void {
    const first = this.#firstEndingAt(from - 1)
    let end = first
    let merged: Range = { from, to }
    for (let next = this.#ranges[end]; next && next.from <= to + 1; next = this.#ranges[++end])
      merged = { from: Math.min(merged.from, next.from), to: Math.max(merged.to, next.to) }
    this.#ranges.splice(first, end - first, merged)
  }

  has(value: number): boolean {
    const range = this.#ranges[this.#firstEndingAt(value)]
    return range !== undefined && range.from <= value
  }

  /** Index of the first range that ends at `value` or after it. */
  #firstEndingAt(value: number): number {
    let low = 0
    let high = this.#ranges.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ranges[middle]?.to ?? 0) < value) low = middle + 1
      else high = middle
    }
    return low
  }
}
