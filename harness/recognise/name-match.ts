/**
 * Finds, among `given` paths, the one that `named` means: the path whose last parts are those of the name. The longest
 * agreement wins; null: none agrees in its last part, or several do equally well.
 */
export function fileNamed(named: string, given: readonly string[]): string | null {
  const wanted = partsOf(named)
  let best: string | null = null
  let most = 0
  for (const path of given) {
    const length = agreement(wanted, partsOf(path))
    if (length > most) [best, most] = [path, length]
    else if (length === most) best = null
  }
  return best
}

const partsOf = (path: string): readonly string[] =>
  path.split(/[/\\]/).filter((part) => part !== "" && part !== ".")

function agreement(a: readonly string[], b: readonly string[]): number {
  let length = 0
  while (length < Math.min(a.length, b.length) && a.at(-1 - length) === b.at(-1 - length)) length++
  return length
}
