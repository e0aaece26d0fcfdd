import type { TailView } from "./tail.ts"
import type { VaultObject, VaultView } from "./vault.ts"

/** Sequences of a camera's chain, both included. */
export interface SequenceRange {
  readonly from: number
  readonly to: number
}

/**
 * What of a camera's chain the cloud does not show, as far as one can know: objects of manifests that are here, gaps
 * between these, what was announced or shown before beyond the newest, and what the cloud has signed for (`gone`). What
 * the camera dropped is not missing.
 */
export function missingIn(
  view: VaultView,
  tail: TailView,
  gone: readonly SequenceRange[] = [],
): readonly SequenceRange[] {
  const objects = objectsIn(view)
    .filter(({ fate }) => fate === "lost by the cloud" || fate === "not heard of")
    .map(({ sequence }) => ({ from: sequence, to: sequence }))
  const gaps = view.alerts.flatMap((alert) =>
    alert.kind === "gap" ? [{ from: alert.from, to: alert.to }] : [],
  )
  const beyond = tail.alerts.flatMap((alert) => {
    if (alert.kind === "withheld") return [{ from: alert.after + 1, to: alert.after + alert.entries }]
    return alert.kind === "shows less" ? [{ from: alert.newest + 1, to: alert.before }] : []
  })
  return joined([...objects, ...gaps, ...beyond, ...gone])
}

/** Of the clips and objects whose ids begin with one of `ids`; `found`: those of `ids` that did. */
export function namedIn(
  view: VaultView,
  ids: readonly string[],
): { readonly ranges: readonly SequenceRange[]; readonly found: readonly string[] } {
  const found = new Set<string>()
  const ranges: SequenceRange[] = []
  for (const { entry, sequence } of objectsIn(view)) {
    const asked = ids.filter((id) => entry.clip.startsWith(id) || entry.id.startsWith(id))
    if (asked.length > 0) ranges.push({ from: sequence, to: sequence })
    for (const id of asked) found.add(id)
  }
  return { ranges: joined(ranges), found: [...found] }
}

function objectsIn({ clips }: VaultView): readonly VaultObject[] {
  return clips.flatMap(({ segments, thumbnail, summary }) =>
    [...segments, thumbnail, summary].filter((object) => object !== null),
  )
}

/** In order, each as long as it goes. */
function joined(ranges: readonly SequenceRange[]): readonly SequenceRange[] {
  const all: SequenceRange[] = []
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = all.at(-1)
    if (last && from <= last.to + 1) all[all.length - 1] = { from: last.from, to: Math.max(last.to, to) }
    else all.push({ from, to })
  }
  return all
}
