import type { FaultKindName } from "../scenario/faults-shape.ts"
import type { Strike } from "../scenario/strikes.ts"

/** By which kinds of fault a camera was struck in a run. */
export type Struck = (camera: number) => ReadonlySet<FaultKindName>

const UNSTRUCK: ReadonlySet<FaultKindName> = new Set()

export function struckBy(strikes: readonly Strike[]): Struck {
  const kinds = new Map<number, Set<FaultKindName>>()
  for (const { fault, cameras } of strikes)
    for (const camera of cameras ?? []) {
      const own = kinds.get(camera)
      if (own) own.add(fault.kind)
      else kinds.set(camera, new Set([fault.kind]))
    }
  return (camera) => kinds.get(camera) ?? UNSTRUCK
}

/** What cameras rightly say of the faults that struck them; of any other camera it is a complaint. */
const EXPECTED: { readonly [Kind in FaultKindName]?: RegExp } = {
  "power-cut": /the power was cut/,
  "disk-full": /^(clip lost|fault in)/,
  "disk-slow": /^clip lost/,
  "lens-stall": /^(lens lost|media skipped)/,
  "lens-dies": /^(lens lost|media skipped)/,
  "lens-splits": /^media skipped: before the first key frame/,
}

export function isToBeExpected(complaint: string, kinds: ReadonlySet<FaultKindName>): boolean {
  return [...kinds].some((kind) => EXPECTED[kind]?.test(complaint) === true)
}

const BLINDING: readonly FaultKindName[] = [
  ...(["power-cut", "disk-full", "disk-slow", "lens-stall", "lens-dies", "lens-splits"] as const),
]

/** Nothing has struck it that would keep pictures of what moved from getting into a clip. */
export function seesItsMotions(kinds: ReadonlySet<FaultKindName>): boolean {
  return !BLINDING.some((kind) => kinds.has(kind))
}
