import { access, constants, mkdir, readdir, rm, stat, statfs, writeFile } from "node:fs/promises"
import { dirname, join, resolve } from "node:path"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { type Bytes, MiB } from "../../firmware/units.ts"
import { makeFolders } from "../../hardware/make-folder.ts"

/**
 * What a run leaves behind:
 *
 *   bucket/          what the cloud has: sealed objects and signed manifests
 *   log/             its access log
 *   owners/<n>/      identity.txt, the key of camera n's owner: never in the cloud's hands
 *   insiders/        lines of the homes that insiders tried, and the index that they searched
 *   clips/           the first clips, opened and playable
 *   cloud-keys.json  the cloud's own keys, which open nothing
 *   report.html      for a person; report.json, series.json, junit.xml and metrics.prom for programs
 *   cameras.log  cloud.log
 *   .obscura-run     says that a fleet made this folder: only such folders are ever removed again
 */
export interface RunFolder {
  readonly directory: string
  /** Of the insiders' own homes: their cameras' log, and the index with accounts. */
  readonly insiders: string
  readonly bucket: string
  readonly owners: string
  readonly clips: string
  readonly cloudKeys: string
  readonly report: string
  readonly html: string
  readonly series: string
  readonly junit: string
  readonly metrics: string
  readonly camerasLog: string
  readonly cloudLog: string
}

/** Runs without `--out` lie in here, and only the newest are kept. */
const RUNS = "runs"
const MARKER = ".obscura-run"
const RUNS_BYTES_MAX: Bytes = 20 * 1_024 * MiB

/**
 * Makes the folder: `out`, which must be new or empty, or else `runs/<date>-<seed>`, after which all but the newest
 * `keep` of those, and of these the oldest that do not fit into `bytesMax`, are removed.
 *
 * @throws Fault "usage", definite: it cannot be made or written, or is not empty.
 */
export async function makeRunFolder(
  out: string | null,
  seed: number,
  keep: number,
  bytesMax: Bytes = RUNS_BYTES_MAX,
): Promise<RunFolder> {
  const directory = out === null ? await freshName(seed) : resolve(out)
  try {
    await makeFolders(directory, 0o755)
    if (!(await stat(directory)).isDirectory()) throw new Fault("usage", "is no folder")
    if ((await readdir(directory)).length > 0)
      throw new Fault("usage", "is not empty: choose another folder, or empty it")
    await access(directory, constants.W_OK)
    const folder = pathsIn(directory)
    await mkdir(folder.clips)
    await writeFile(join(directory, MARKER), "made by obscura fleet\n")
    if (out === null) await removeOld(dirname(directory), keep, bytesMax)
    return folder
  } catch (cause) {
    throw new Fault("usage", `--out ${out ?? directory}: ${reasonOf(cause)}`, { cause })
  }
}

/** Room on the disk that `out`, or the runs' folder, is on. */
export async function freeBytesFor(out: string | null): Promise<Bytes> {
  let directory = resolve(out ?? RUNS)
  for (;;) {
    try {
      const { bavail, bsize } = await statfs(directory)
      return bavail * bsize
    } catch (cause) {
      if (dirname(directory) === directory) throw new Fault("usage", `--out ${out}: ${messageOf(cause)}`)
      directory = dirname(directory)
    }
  }
}

export function pathsIn(directory: string): RunFolder {
  const path = (name: string) => join(directory, name)
  return {
    directory,
    insiders: path("insiders"),
    bucket: path("bucket"),
    owners: path("owners"),
    clips: path("clips"),
    cloudKeys: path("cloud-keys.json"),
    report: path("report.json"),
    html: path("report.html"),
    series: path("series.json"),
    junit: path("junit.xml"),
    metrics: path("metrics.prom"),
    camerasLog: path("cameras.log"),
    cloudLog: path("cloud.log"),
  }
}

/** One for each process of cameras: cameras.log, or cameras-0.log and on. */
export function camerasLogs({ camerasLog }: RunFolder, processes: number): readonly string[] {
  if (processes <= 1) return [camerasLog]
  return Array.from({ length: processes }, (_, i) => camerasLog.replace(/\.log$/, `-${i}.log`))
}

/** 2026-03-01T12-30-00-42: sorts by date. */
async function freshName(seed: number): Promise<string> {
  const date = new Date().toISOString().slice(0, 19).replaceAll(":", "-")
  for (let copy = 1; ; copy++) {
    const directory = resolve(RUNS, `${date}-${seed}${copy === 1 ? "" : `-${copy}`}`)
    if (!(await exists(directory))) return directory
  }
}

/** The newest stay: at most `keep`, and as many as fit into `bytesMax`; but the newest of all in any case. */
async function removeOld(runs: string, keep: number, bytesMax: Bytes): Promise<void> {
  const made: string[] = []
  for (const entry of await readdir(runs, { withFileTypes: true }))
    if (entry.isDirectory() && (await exists(join(runs, entry.name, MARKER)))) made.push(entry.name)
  let bytes: Bytes = 0
  for (const [position, name] of made.sort().reverse().entries()) {
    bytes += await sizeOf(join(runs, name))
    if (position > 0 && (position >= keep || bytes > bytesMax))
      await rm(join(runs, name), { recursive: true, force: true })
  }
}

async function sizeOf(folder: string): Promise<Bytes> {
  let bytes: Bytes = 0
  for (const name of await readdir(folder, { recursive: true })) {
    const entry = await stat(join(folder, name))
    if (entry.isFile()) bytes += entry.size
  }
  return bytes
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : null
  if (code === "EEXIST" || code === "ENOTDIR") return "a file is in the way: choose a folder"
  if (code === "EACCES" || code === "EPERM") return "may not be written: choose another folder"
  if (code === "EROFS") return "is on a read-only file system: choose another folder"
  if (code === "ENOSPC") return "no room left on that disk: choose another folder"
  return messageOf(cause)
}
