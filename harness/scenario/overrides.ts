import { Fault } from "../../firmware/errors.ts"

/** Objects and arrays of a scenario's input, as JSON would have them. */
type Node = Record<string, unknown> | unknown[]

/**
 * A copy of `input` with fields set as `--set` spells them: fleet.cameras=1000, faults[0].at=5, arrivals.kind=poisson.
 * A value is JSON where it is JSON, else a string. Whether a field exists is for the scenario's shape to say.
 *
 * @throws Fault "usage", definite: no = in it, or a path through something that has no fields.
 */
export function withOverrides(input: unknown, overrides: readonly string[]): unknown {
  const copy: unknown = structuredClone(input)
  for (const override of overrides) set(copy as Node, override)
  return copy
}

function set(root: Node, override: string): void {
  const at = override.indexOf("=")
  if (at < 1) throw new Fault("usage", `--set ${override}: it looks like fleet.cameras=1000`)
  const path = override
    .slice(0, at)
    .replace(/\[(\d{1,4})\]/g, ".$1")
    .split(".")
  if (path.some((step) => step === "" || step === "__proto__" || step === "constructor"))
    throw new Fault("usage", `--set ${override}: ${override.slice(0, at)} names no field`)
  let node: Node = root
  for (const step of path.slice(0, -1)) {
    const next = field(node, step)
    if (next !== undefined && (typeof next !== "object" || next === null))
      throw new Fault("usage", `--set ${override}: ${step} has no fields`)
    if (next === undefined) assign(node, step, {})
    node = (next ?? field(node, step)) as Node
  }
  assign(node, path.at(-1) ?? "", valueIn(override.slice(at + 1)))
}

function field(node: Node, step: string): unknown {
  return Array.isArray(node) ? node[Number(step)] : Object.hasOwn(node, step) ? node[step] : undefined
}

function assign(node: Node, step: string, value: unknown): void {
  if (!Array.isArray(node)) node[step] = value
  else if (/^\d+$/.test(step) && Number(step) <= node.length) node[Number(step)] = value
  else throw new Fault("usage", `--set: [${step}] of a list of ${node.length}: they are counted from 0`)
}

function valueIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text // a word
  }
}
