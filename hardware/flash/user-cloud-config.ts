import { type Document, isMap, isScalar, LineCounter, parseDocument, type Tags, visit } from "yaml"
import { Fault } from "../../firmware/errors.ts"

/** A cloud-config: top-level key to value. */
export type CloudConfig = Readonly<Record<string, unknown>>

/**
 * PyYAML, which cloud-init reads with, knows YAML 1.1: 0644 is octal there, and NO is false. But for y and n, which it takes
 * for texts.
 */
export const PYYAML = { version: "1.1", customTags: (tags: Tags) => tags.map(withoutYAndN) } as const

function withoutYAndN(tag: Tags[number]): Tags[number] {
  if (typeof tag !== "object" || tag.collection !== undefined || tag.tag !== "tag:yaml.org,2002:bool")
    return tag
  const words = tag.test?.test("yes")
    ? "yes|Yes|YES|true|True|TRUE|on|On|ON"
    : "no|No|NO|false|False|FALSE|off|Off|OFF"
  return { ...tag, test: new RegExp(`^(?:${words})$`) }
}

/**
 * The user's own cloud-config.
 * @throws Fault "usage", definite, naming file and line.
 */
export function parseCloudConfig(text: string, file: string): CloudConfig {
  const [first = ""] = text.replace(/^\uFEFF/, "").split("\n", 1)
  if (first.trimEnd() !== "#cloud-config")
    throw new Fault(
      "usage",
      `${file}:1: a cloud-config begins with the line #cloud-config; nothing else can be merged`,
    )
  const lines = new LineCounter()
  // Its warnings would show the file's words.
  const document = parseDocument(text, {
    ...PYYAML,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: "error",
  })
  const at = (offset: number) => `${file}:${lines.linePos(offset).line}:${lines.linePos(offset).col}`
  // The reader's messages quote the file, whose words may be secret: its codes do not.
  const error = document.errors[0]
  if (error) throw new Fault("usage", `${at(error.pos[0])}: this is no YAML (${error.code})`)
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null))
    return {}
  if (!isMap(document.contents))
    throw new Fault("usage", `${file}: a cloud-config is a map, such as "packages: [vim]"`)
  for (const { key } of document.contents.items)
    if (isScalar(key) && key.value === "network")
      throw new Fault(
        "usage",
        `${at(key.range?.[0] ?? 0)}: cloud-init takes no network from here: give --wifi`,
      )
  const lost = aliasToNothing(document)
  if (lost !== null)
    throw new Fault("usage", `${at(lost)}: an alias without its anchor: put quotes around a value with *`)
  try {
    return { ...Object(document.toJS({ maxAliasCount: 100 })) }
  } catch {
    // No cause: its message quotes the file.
    throw new Fault("usage", `${file}: its aliases cannot be followed: write their values out`)
  }
}

/** Where it begins; null: there is none. */
function aliasToNothing(document: Document.Parsed): number | null {
  let offset: number | null = null
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document)) return undefined
      offset = alias.range?.[0] ?? 0
      return visit.BREAK
    },
  })
  return offset
}

/**
 * Ours and the user's as one: maps key by key, lists one after the other (ours first), and of two values the user's,
 * unless the person asked for ours as well: then one has to go.
 *
 * @param asked dotted names of values of ours that the person gave, to the option that gave them.
 * @throws Fault "usage", definite: two values for one thing, or a list where a map belongs.
 */
export function mergeCloudConfig(
  ours: CloudConfig,
  theirs: CloudConfig,
  file: string,
  asked: ReadonlyMap<string, string> = new Map(),
): CloudConfig {
  const merged = mergeMaps(ours, theirs, "", file, asked)
  refuseSamePath(merged.write_files, file)
  return merged
}

function mergeMaps(
  ours: CloudConfig,
  theirs: CloudConfig,
  above: string,
  file: string,
  asked: ReadonlyMap<string, string>,
): CloudConfig {
  const merged: Record<string, unknown> = { ...ours }
  for (const [key, their] of Object.entries(theirs)) {
    const our = ours[key]
    const name = `${above}${key}`
    if (our === undefined) merged[key] = their
    else if (Array.isArray(our) && Array.isArray(their)) merged[key] = [...our, ...their]
    else if (isPlainMap(our) && isPlainMap(their))
      merged[key] = mergeMaps(our, their, `${name}.`, file, asked)
    else if (isTree(our) || isTree(their))
      throw new Fault("usage", `${file}: ${name}: ${kindOf(our)} is wanted`)
    else if (our !== their && asked.has(name))
      throw new Fault("usage", `${name}: ${asked.get(name)} and ${file} say different things; leave one out`)
    else merged[key] = their
  }
  return merged
}

const isTree = (value: unknown): boolean => Array.isArray(value) || isPlainMap(value)
const kindOf = (value: unknown): string =>
  Array.isArray(value) ? "a list" : isTree(value) ? "a map" : "one value"

export function isPlainMap(value: unknown): value is CloudConfig {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/** Of two files at one path the later would win, silently. */
function refuseSamePath(files: unknown, file: string): void {
  const paths = Array.isArray(files) ? files.map((each) => (isPlainMap(each) ? each.path : undefined)) : []
  const twice = paths.find((path, index) => path !== undefined && paths.indexOf(path) !== index)
  if (twice !== undefined)
    throw new Fault(
      "usage",
      `${file}: write_files: ${String(twice)} is written twice, or by obscura too; choose another`,
    )
}
