import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import { chmod, mkdir, mkdtemp, readFile, rename, rm, utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { gzipSync } from "node:zlib"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import { THREAD_NAMES, WASM_NAME } from "../detector/beside.ts"
import { type ModelPaper, modelFile } from "../detector/model-store.ts"
import { makeFolder } from "../make-folder.ts"
import { VERSION } from "../program/version.ts"
import { type Bundle, PROGRAM, ROOT } from "./bundle.ts"
import { debianNoticeOf } from "./npm-packages.ts"
import { toolEnv } from "./tool-env.ts"

/** One file of the package: its bytes and mode (0644 unless said). */
interface Packed {
  readonly bytes: Buffer
  readonly mode?: number
}

/** A model that travels with the program, checked by whoever chose it. */
export interface PackedModel extends ModelPaper {
  readonly name: string
  readonly file: Buffer
}

const DEB_NAME = `obscura-camera_${VERSION}_all.deb`

const DOC = "usr/share/doc/obscura-camera"

/**
 * Builds DEB_NAME in `outDir` from a bundle, with Debian's own dpkg-deb. The same bundle makes the same bytes: owners are
 * root, times are the changelog's, modes are set, and the compression has no threads.
 *
 * @returns the package's path.
 * @throws Fault "usage", definite: no dpkg-deb on the PATH of `env`, or the folder cannot be written.
 */
export async function buildDeb(
  bundle: Bundle,
  outDir: string,
  { env = process.env, model = null }: { env?: NodeJS.ProcessEnv; model?: PackedModel | null } = {},
): Promise<string> {
  const stage = await mkdtemp(join(tmpdir(), "obscura-deb-"))
  try {
    const files = await contents(bundle, model)
    const time = await changelogTime()
    const tree = join(stage, "tree")
    await mkdir(tree)
    await stageFiles(tree, new Map([...files, ...(await control(files))]), time)
    const target = join(outDir, DEB_NAME)
    // Inside the folder that only we may enter: a name beside it could be somebody else's link.
    const made = join(stage, "out.deb")
    await dpkgDeb(tree, made, time, env)
    await place(made, target)
    return target
  } finally {
    await rm(stage, { recursive: true, force: true })
  }
}

async function contents(bundle: Bundle, model: PackedModel | null): Promise<Map<string, Packed>> {
  const inBundle = (name: string): Buffer => {
    const bytes = bundle.files.get(name)
    if (!bytes) throw new Fault("broken", `package: the bundle has no ${name}`)
    return bytes
  }
  const beside = [...Object.values(THREAD_NAMES), WASM_NAME, "sbom.cdx.json"]
  return new Map<string, Packed>([
    ...[PROGRAM, ...beside].map((name) => [`usr/lib/obscura/${name}`, { bytes: inBundle(name) }] as const),
    ...(model ? modelFiles(model) : []),
    ["usr/bin/obscura-camera", { bytes: await ours("obscura-camera"), mode: 0o755 }],
    [
      "usr/lib/systemd/system/obscura-camera.service",
      { bytes: await readFile(join(ROOT, "hardware/program/obscura-camera.service")) },
    ],
    ["usr/lib/sysusers.d/obscura-camera.conf", { bytes: await ours("sysusers.conf") }],
    ["usr/share/man/man1/obscura-camera.1.gz", { bytes: gzipped(await ours("obscura-camera.1")) }],
    [`${DOC}/changelog.gz`, { bytes: gzipped(await ours("changelog")) }],
    [
      `${DOC}/copyright`,
      {
        bytes: Buffer.concat([
          await ours("copyright.head"),
          Buffer.from(model ? modelNotice(model) : ""),
          Buffer.from(debianNoticeOf(bundle.packages)),
        ]),
      },
    ],
    ["usr/share/lintian/overrides/obscura-camera", { bytes: await ours("lintian-overrides") }],
  ])
}

function modelFiles({ name, file, ...paper }: PackedModel): (readonly [string, Packed])[] {
  const text = `${JSON.stringify(paper, null, 2)}\n`
  return [
    [`usr/lib/obscura/models/${modelFile(name, paper)}`, { bytes: file }],
    [`usr/lib/obscura/models/${name}.json`, { bytes: Buffer.from(text) }],
  ]
}

function modelNotice({ name, licence, source }: PackedModel): string {
  const where = licence === "Apache-2.0" ? ` (/usr/share/common-licenses/${licence})` : ""
  return `The model ${name}: ${licence ?? "its licence is not known to obscura"}${where}; ${source}.\n\n`
}

async function control(files: ReadonlyMap<string, Packed>): Promise<Map<string, Packed>> {
  const sums = [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, { bytes }]) => `${md5(bytes)}  ${path}\n`)
  const kibibytes = [...files.values()].reduce((sum, { bytes }) => sum + Math.ceil(bytes.length / 1024), 0)
  const text = String(await ours("control"))
    .replace("@VERSION@", VERSION)
    .replace("@INSTALLED_SIZE@", String(kibibytes))
  return new Map<string, Packed>([
    ["DEBIAN/control", { bytes: Buffer.from(text) }],
    ["DEBIAN/md5sums", { bytes: Buffer.from(sums.join("")) }],
    ["DEBIAN/postinst", { bytes: await ours("postinst"), mode: 0o755 }],
    ["DEBIAN/prerm", { bytes: await ours("prerm"), mode: 0o755 }],
    ["DEBIAN/postrm", { bytes: await ours("postrm"), mode: 0o755 }],
  ])
}

/** Files and the folders above them, with set modes and times; no umask has a say. */
async function stageFiles(tree: string, files: ReadonlyMap<string, Packed>, time: number): Promise<void> {
  const folders = new Set<string>(["."])
  for (const [path, { bytes, mode = 0o644 }] of files) {
    for (let above = dirname(path); above !== "."; above = dirname(above)) folders.add(above)
    await mkdir(join(tree, dirname(path)), { recursive: true })
    await writeFile(join(tree, path), bytes)
    await chmod(join(tree, path), mode)
    await utimes(join(tree, path), time, time)
  }
  for (const folder of [...folders].sort().reverse()) {
    await chmod(join(tree, folder), 0o755)
    await utimes(join(tree, folder), time, time)
  }
}

async function dpkgDeb(tree: string, target: string, time: number, env: NodeJS.ProcessEnv): Promise<void> {
  const words = ["--root-owner-group", "-Zgzip", "-z9", "--build", tree, target]
  try {
    await promisify(execFile)("dpkg-deb", words, {
      env: { ...toolEnv(env), SOURCE_DATE_EPOCH: String(time) },
    })
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT")
      throw new Fault(
        "usage",
        "package: dpkg-deb is not installed: apt install dpkg, or brew install dpkg; or build it elsewhere and give --package FILE",
        { cause },
      )
    throw new Fault("usage", `package: ${messageOf(cause).trim().split("\n").at(-1)}`, { cause })
  }
}

/** There whole or not at all, also on another file system than the temporary one. */
async function place(made: string, target: string): Promise<void> {
  const beside = `${target}.new`
  try {
    await makeFolder(dirname(target), 0o755)
    await writeFile(beside, await readFile(made), { mode: 0o644 })
    await rename(beside, target)
  } catch (cause) {
    await rm(beside, { force: true }).catch(() => undefined)
    if (isFault(cause)) throw cause
    throw new Fault("usage", `${target}: cannot be written (${messageOf(cause)}); choose another folder`, {
      cause,
    })
  }
}

/** Seconds since 1970 of the changelog's newest entry: what every file of the package is dated. */
async function changelogTime(): Promise<number> {
  const date = /^ -- .*> {2}(.+)$/m.exec(String(await ours("changelog")))?.[1]
  const time = Date.parse(date ?? "")
  if (Number.isNaN(time)) throw new Fault("broken", "package: the changelog's newest entry has no date")
  return time / 1000
}

const ours = (name: string): Promise<Buffer> => readFile(new URL(`./debian/${name}`, import.meta.url))

/** The header has no time (zlib writes 0), and "unknown" for the operating system that made it (RFC 1952 §2.3.1). */
function gzipped(bytes: Buffer): Buffer {
  const zipped = gzipSync(bytes, { level: 9 })
  zipped[9] = 255
  return zipped
}

function md5(bytes: Buffer): string {
  return createHash("md5").update(bytes).digest("hex")
}
