import { readdir, stat } from "node:fs/promises"
import { basename, resolve } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { z } from "zod"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { suggestion } from "./nearest.ts"
import { withOverrides } from "./overrides.ts"
import { type Scenario, scenarioShape } from "./scenario.ts"

const FOLDER = new URL("../scenarios/", import.meta.url)

export interface NamedScenario {
  /** As the command line spells it: a name of the project's own, or a file's path. */
  readonly name: string
  readonly scenario: Scenario
}

/** The project's own, in the order of their names. */
export async function scenarioNames(): Promise<readonly string[]> {
  const files = await readdir(FOLDER)
  return files
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.slice(0, -3))
    .sort()
}

/**
 * One of the project's scenarios, or anybody's own file; with `overrides` as `--set` spells them.
 * @throws Fault "usage", definite, in one line: no such name or file, a file that throws or exports none, a field that
 *         is unknown or does not fit, and where.
 */
export async function loadScenario(
  nameOrFile: string,
  overrides: readonly string[] = [],
): Promise<NamedScenario> {
  const input = await readInput(nameOrFile)
  return { name: nameOrFile, scenario: parseScenario(withOverrides(input, overrides), nameOrFile) }
}

/** @throws Fault "usage", definite: which field, why, and the nearest name of an unknown one. */
export function parseScenario(input: unknown, name: string): Scenario {
  const result = scenarioShape.safeParse(input)
  if (result.success) return checked(result.data, name)
  const issue = result.error.issues[0]
  throw new Fault("usage", `scenario ${name}: ${issue ? described(issue, input) : "it does not fit"}`)
}

async function readInput(nameOrFile: string): Promise<unknown> {
  const isPath = /[/\\]|\.[cm]?[jt]s$/.test(nameOrFile)
  const names = await scenarioNames()
  if (!isPath && !names.includes(nameOrFile))
    throw new Fault(
      "usage",
      `there is no scenario ${nameOrFile}${suggestion(nameOrFile, names)}: there are ${names.join(", ")}, or give a file's path`,
    )
  const url = isPath ? pathToFileURL(resolve(nameOrFile)) : new URL(`${nameOrFile}.ts`, FOLDER)
  if (isPath) await checkFile(fileURLToPath(url))
  try {
    const module: { readonly default?: unknown } = await import(url.href)
    if (module.default !== undefined && typeof module.default === "object") return module.default
  } catch (cause) {
    throw new Fault("usage", `scenario ${nameOrFile}: its file throws: ${messageOf(cause).split("\n")[0]}`, {
      cause,
    })
  }
  throw new Fault(
    "usage",
    `scenario ${nameOrFile}: its file exports no scenario as its default; see: obscura scenarios new ${basename(nameOrFile)}`,
  )
}

async function checkFile(path: string): Promise<void> {
  const found = await stat(path).catch(() => null)
  if (found?.isFile()) return
  throw new Fault(
    "usage",
    `scenario ${path}: ${found ? "it is no file" : "there is no such file"}; check the path`,
  )
}

/** What no single field can tell. */
function checked(scenario: Scenario, name: string): Scenario {
  const { seconds, faults, arrivals } = scenario
  for (const [number, fault] of faults.entries())
    if (fault.at + ("for" in fault ? fault.for : 0) > seconds)
      throw new Fault(
        "usage",
        `scenario ${name}: faults[${number}] (${fault.kind}) ends after the run's ${seconds} s; ` +
          "make the run longer with seconds, or the fault shorter: the final phase is without faults",
      )
  if (arrivals.kind === "spike" && arrivals.at + arrivals.for > seconds)
    throw new Fault("usage", `scenario ${name}: arrivals.at and arrivals.for go past the run's ${seconds} s`)
  return scenario
}

function described(issue: z.core.$ZodIssue, input: unknown): string {
  const where = issue.path.length === 0 ? "" : `${spelled(issue.path)}: `
  if (issue.code === "unrecognized_keys") {
    const [key = ""] = issue.keys
    return `${where}there is no field ${key}${suggestion(key, knownAt(issue.path, input))}`
  }
  return `${where}${issue.message.replace(/^Invalid input: /, "")}`
}

/** The names that an object at this place of a scenario may have. */
function knownAt(path: readonly PropertyKey[], input: unknown): readonly string[] {
  let shape: unknown = scenarioShape
  let value = input
  for (const step of path) {
    shape = inner(shape, value)
    value = (value as Record<PropertyKey, unknown> | undefined)?.[step]
    if (shape instanceof z.ZodObject) shape = shape.shape[String(step)]
    else if (shape instanceof z.ZodArray) shape = shape.element
    else return []
  }
  const last = inner(shape, value)
  return last instanceof z.ZodObject ? Object.keys(last.shape) : []
}

/** Without defaults around it; of a union, the one that `value` names by its kind. */
function inner(shape: unknown, value: unknown): unknown {
  if (shape instanceof z.ZodDefault || shape instanceof z.ZodPrefault || shape instanceof z.ZodNullable)
    return inner(shape.unwrap(), value)
  if (!(shape instanceof z.ZodDiscriminatedUnion)) return shape
  const kind = (value as { readonly kind?: unknown } | undefined)?.kind
  return shape.options.find((option) => {
    const literal = option instanceof z.ZodObject ? option.shape.kind : undefined
    return literal instanceof z.ZodLiteral && literal.value === kind
  })
}

function spelled(path: readonly PropertyKey[]): string {
  return path
    .map((step, i) => (typeof step === "number" ? `[${step}]` : `${i > 0 ? "." : ""}${String(step)}`))
    .join("")
}
