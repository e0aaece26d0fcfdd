import { canonical, formsOf, valuesIn } from "./values.ts"

/** One row, line, statement or session: whatever holds values together, so that who has it can go from one to the other. */
export interface Holding {
  /** What a person calls it: "table clip_objects", "cloud.log". */
  readonly source: string
  readonly record: unknown
}

/** From value to value, and what held each two together. */
export type Path = readonly { readonly source: string; readonly field: string; readonly value: string }[]

/**
 * The graph of equal values over everything that a cloud keeps: a holding is joined with every other that has one of its
 * values (`values.ts` says what counts as one), or something that can be worked out from one. Whoever has all of it, staff,
 * thief or court, can walk it.
 */
export class JoinGraph {
  readonly #holdings: Holding[] = []
  readonly #valuesOf: Map<string, string>[] = []
  readonly #holdersOf = new Map<string, number[]>()

  /** @param constants what every holding may have and nobody is known by: the cloud's own keys, zeros. */
  constructor(holdings: Iterable<Holding>, constants: readonly string[] = []) {
    const ignored = new Set(constants.map(canonical))
    for (const holding of holdings) {
      /** Field by value. */
      const values = new Map<string, string>()
      for (const { field, value } of valuesIn(holding.record)) {
        if (ignored.has(value) || /^(.)\1*$/.test(value)) continue
        for (const form of formsOf(value)) if (!values.has(form)) values.set(form, field)
      }
      const position = this.#holdings.push(holding) - 1
      this.#valuesOf.push(values)
      for (const value of values.keys()) {
        const holders = this.#holdersOf.get(value) ?? []
        holders.push(position)
        this.#holdersOf.set(value, holders)
      }
    }
  }

  get size(): number {
    return this.#holdings.length
  }

  has(value: string): boolean {
    return this.#holdersOf.has(canonical(value))
  }

  /** A shortest way from any of `starts` to any of `ends`; null: there is none. */
  path(starts: readonly string[], ends: readonly string[]): Path | null {
    const goals = new Set(ends.map(canonical))
    const cameBy = new Map<string, Step | null>()
    let front = starts.flatMap((start) => formsOf(canonical(start)))
    for (const value of front) cameBy.set(value, null)
    const seen = new Set<number>()
    while (front.length > 0) {
      const next: string[] = []
      for (const from of front)
        for (const holder of this.#holdersOf.get(from) ?? []) {
          if (seen.has(holder)) continue
          seen.add(holder)
          for (const [value, field] of this.#valuesOf[holder] ?? []) {
            if (cameBy.has(value)) continue
            cameBy.set(value, { from, source: this.#holdings[holder]?.source ?? "", field })
            if (goals.has(value)) return walk(value, cameBy)
            next.push(value)
          }
        }
      front = next
    }
    return null
  }
}

interface Step {
  readonly from: string
  readonly source: string
  readonly field: string
}

function walk(end: string, cameBy: ReadonlyMap<string, Step | null>): Path {
  const path: { source: string; field: string; value: string }[] = []
  let value = end
  for (let step = cameBy.get(value); step; step = cameBy.get(value)) {
    path.unshift({ source: step.source, field: step.field, value })
    value = step.from
  }
  return path
}

/** For a person; of values only their fields, for this may be printed where nobody may read an e-mail. */
export function describePath(path: Path): string {
  return ["the e-mail", ...path.map(({ source, field }) => `${source}: ${field}`)].join(" -> ")
}
