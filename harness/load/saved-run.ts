import { readFile, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import { z } from "zod"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import { MiB } from "../../firmware/units.ts"
import { parseReport, type Report } from "./report.ts"
import { type Series, seriesShape } from "./series.ts"

/** A run as its folder tells of it. */
export interface SavedRun {
  /** As it was asked for. */
  readonly path: string
  readonly report: Report
  /** null: there is none, or it is not readable. */
  readonly series: Series | null
  /** Why there is none although its file is there; one line. */
  readonly warning: string | null
}

/** A day second by second has some ten megabytes. */
const FILE_MAX = 64 * MiB

/**
 * @param path A run's folder, or a report.json anywhere.
 * @throws Fault "usage", one line: nothing there, or no report.
 */
export async function readRun(path: string): Promise<SavedRun> {
  const file = (await isFolder(path)) ? join(path, "report.json") : path
  const report = await readReportFile(file)
  const { series, warning } = await readSeries(join(dirname(file), "series.json"))
  return { path, report, series, warning }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (cause) {
    throw new Fault("usage", `${path}: ${reasonOf(cause)}; give a run's folder or its report.json`, { cause })
  }
}

async function readReportFile(file: string): Promise<Report> {
  try {
    return parseReport(await readText(file))
  } catch (cause) {
    if (isFault(cause, "usage")) throw cause
    const why = isFault(cause) ? `is no report: ${reasonOf(cause.cause)}` : reasonOf(cause)
    throw new Fault("usage", `${file}: ${why}; give a run's folder or its report.json`, { cause })
  }
}

/** Charts are worth a warning, not a refusal. */
async function readSeries(file: string): Promise<Pick<SavedRun, "series" | "warning">> {
  try {
    return { series: seriesShape.parse(JSON.parse(await readText(file))), warning: null }
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return { series: null, warning: null }
    return { series: null, warning: `${file}: no charts from it: ${reasonOf(cause)}` }
  }
}

async function readText(file: string): Promise<string> {
  const found = await stat(file)
  if (!found.isFile()) throw new Fault("usage", `${file}: is no file; give a run's folder or its report.json`)
  if (found.size > FILE_MAX) throw new Fault("usage", `${file}: is too large for one`)
  return readFile(file, "utf8")
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && "code" in cause ? cause.code : null
}

function reasonOf(cause: unknown): string {
  return rawReasonOf(cause).replace(/\p{Cc}/gu, " ")
}

function rawReasonOf(cause: unknown): string {
  if (cause instanceof z.ZodError) {
    const [issue] = cause.issues
    return issue === undefined ? "another shape" : `${issue.path.join(".") || "all of it"}: ${issue.message}`
  }
  if (cause instanceof SyntaxError) return "not JSON"
  if (codeOf(cause) === "ENOENT") return "is not there"
  if (codeOf(cause) === "EACCES") return "may not be read"
  return messageOf(cause).split("\n")[0] ?? ""
}
