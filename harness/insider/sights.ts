/** Who could see what: a row an insider, a column what they would have got. */
export interface Sight {
  readonly insider: string
  readonly asset: string
  readonly tries: number
  readonly violations: number
  readonly checks: readonly string[]
}

interface TriedCheck {
  readonly id: string
  readonly asset: string
  readonly by: readonly { readonly insider: string; readonly tries: number; readonly violations: number }[]
}

export function sightsOf(checks: readonly TriedCheck[]): readonly Sight[] {
  const sights = new Map<string, Sight>()
  for (const { id, asset, by } of checks)
    for (const { insider, tries, violations } of by) {
      const before = sights.get(`${insider} ${asset}`)
      sights.set(`${insider} ${asset}`, {
        ...{ insider, asset },
        tries: (before?.tries ?? 0) + tries,
        violations: (before?.violations ?? 0) + violations,
        checks: [...(before?.checks ?? []), id],
      })
    }
  return [...sights.values()]
}
