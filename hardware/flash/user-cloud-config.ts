import { isMap, isScalar, LineCounter, parseDocument, type Tags } from "yaml"
import { Fault, messageOf } from "../../firmware/errors.ts"

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
  const document = parseDocument(text, { ...PYYAML, lineCounter: lines, prettyErrors: false })
  const error = document.errors[0]
  if (error)
    throw new Fault("usage", `${file}:${lines.linePos(error.pos[0]).line}: ${firstLine(error.message)}`)
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null))
    return {}
  if (!isMap(document.contents))
    throw new Fault("usage", `${file}: a cloud-config is a map, such as "packages: [vim]"`)
  for (const { key } of document.contents.items)
    if (isScalar(key) && key.value === "network")
      throw new Fault(
        "usage",
        `${file}:${lines.linePos(key.range?.[0] ?? 0).line}: cloud-init takes no network from here: give --wifi`,
      )
  return toObject(() => document.toJS({ maxAliasCount: 100 }), file)
}

function toObject(convert: () => unknown, file: string): CloudConfig {
  try {
    return { ...Object(convert()) }
  } catch (cause) {
    throw new Fault("usage", `${file}: ${firstLine(messageOf(cause))}`, { cause })
  }
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

function isPlainMap(value: unknown): value is CloudConfig {
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

/** Without the words of the file itself, which may be secret. */
const firstLine = (text: string): string => (text.split("\n", 1)[0] ?? "").replace(/"[^"]*"/g, "(…)")
