import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import { Fault } from "../../firmware/errors.ts"

/** One npm package of which something is in the bundle. */
export interface NpmPackage {
  readonly name: string
  readonly version: string
  /** SPDX identifier or expression, as the package states it. */
  readonly licence: string
  /** Its licence file, and notice if it has one; where it ships neither, the sentence that says so. */
  readonly licenceText: string
  /** What is compiled into it and is no npm package. */
  readonly linked: readonly LinkedLibrary[]
}

export interface LinkedLibrary {
  readonly name: string
  /** SPDX identifier. */
  readonly licence: string
}

const LICENCE_FILE = /^(?:licen[cs]e|copying|notice)(?:[-.].*)?$/i

/** Of packages that leave theirs in their repository. */
const KEPT_TEXTS: ReadonlyMap<string, URL> = new Map([
  ["onnxruntime-web", new URL("./licences/onnxruntime-web.txt", import.meta.url)],
])

/** By names in the WebAssembly, and what its build always takes; neither tells versions. */
const LINKED: ReadonlyMap<string, readonly LinkedLibrary[]> = new Map([
  [
    "onnxruntime-web",
    [
      { name: "abseil-cpp", licence: "Apache-2.0" },
      { name: "boost-mp11", licence: "BSL-1.0" },
      { name: "date", licence: "MIT" },
      { name: "eigen", licence: "MPL-2.0" },
      { name: "emscripten", licence: "MIT" },
      { name: "flatbuffers", licence: "Apache-2.0" },
      { name: "gsl", licence: "MIT" },
      { name: "nlohmann-json", licence: "MIT" },
      { name: "onnx", licence: "Apache-2.0" },
      { name: "protobuf", licence: "BSD-3-Clause" },
      { name: "re2", licence: "BSD-3-Clause" },
      { name: "safeint", licence: "MIT" },
    ],
  ],
])

/** The old spellings are those of packages from before 2015. */
const manifestShape = z.looseObject({
  name: z.string(),
  version: z.string(),
  license: z.union([z.string(), z.looseObject({ type: z.string() })]).optional(),
  licenses: z.array(z.looseObject({ type: z.string() })).optional(),
  author: z.union([z.string(), z.looseObject({ name: z.string() })]).optional(),
})

/**
 * Which packages the bundler's inputs (paths from `root`) come from, by name and version.
 * @throws Fault "usage", definite: a package whose licence nobody knows must not be handed on.
 */
export async function packagesOf(inputs: readonly string[], root: string): Promise<readonly NpmPackage[]> {
  const folders = new Set(inputs.flatMap((path) => folderOf(path) ?? []))
  const packages = await Promise.all([...folders].sort().map((folder) => readPackage(join(root, folder))))
  const byName = new Map(packages.map((each) => [`${each.name}@${each.version}`, each]))
  return [...byName.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each)
}

/** "node_modules/a/node_modules/@b/c/lib/d.js" to "node_modules/a/node_modules/@b/c". */
function folderOf(path: string): string | null {
  return /^(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? null
}

async function readPackage(folder: string): Promise<NpmPackage> {
  const manifest = manifestShape.parse(JSON.parse(await readFile(join(folder, "package.json"), "utf8")))
  const { name, version, license, licenses, author } = manifest
  const licence =
    (typeof license === "string" ? license : license?.type) ?? licenses?.map(({ type }) => type).join(" OR ")
  if (!licence) throw new Fault("usage", `bundle: package ${name} states no licence; it cannot be handed on`)
  const files = (await readdir(folder)).filter((file) => LICENCE_FILE.test(file)).sort()
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")))
  const by = typeof author === "string" ? author : author?.name
  const known = KEPT_TEXTS.get(name)
  if (texts.length === 0 && known !== undefined) texts.push(await readFile(known, "utf8"))
  const licenceText =
    texts.length > 0
      ? texts.map(tidy).join("\n\n")
      : `Ships no licence file; states: ${licence}${by ? `, by ${by}` : ""}`
  return { name, version, licence, licenceText, linked: LINKED.get(name) ?? [] }
}

function tidy(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/[ \t]+$/gm, "")
    .trim()
}

/** One text with the licence of each. */
export function noticeOf(packages: readonly NpmPackage[]): string {
  const parts = packages.map(
    ({ name, version, licence, licenceText }) =>
      `${"-".repeat(78)}\n${name} ${version} (${licence})\n\n${licenceText}\n`,
  )
  return `obscura-camera holds these packages, in whole or in part:\n\n${parts.join("\n")}`
}

/**
 * The same for Debian, where a copyright file names the Apache License 2.0 by its path instead of repeating it (Debian
 * Policy 12.5). Who holds a copyright is kept.
 */
export function debianNoticeOf(packages: readonly NpmPackage[]): string {
  return noticeOf(packages.map((each) => ({ ...each, licenceText: withoutApacheText(each.licenceText) })))
}

const APACHE =
  /^[ \t]*Apache License\n[ \t]*Version 2\.0, January 2004[\s\S]*?END OF TERMS AND CONDITIONS[\s\S]*$/m

function withoutApacheText(text: string): string {
  return text.replace(APACHE, (whole) => {
    const holders = whole.match(/^[ \t]*Copyright (?:\(c\) )?\d.*$/gim) ?? []
    return [
      ...holders.map((line) => line.trim()),
      "Apache License 2.0: /usr/share/common-licenses/Apache-2.0",
    ].join("\n")
  })
}
