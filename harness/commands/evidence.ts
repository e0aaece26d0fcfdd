import { readFile, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { Command, Option } from "commander"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { aligned } from "../bench/table.ts"
import { parseRows, type SavedRows } from "../checks/saved-rows.ts"
import { countsOf, documentOf, type EvidenceDocument, programOf, RESULTS } from "../evidence/document.ts"
import { evidencePage } from "../evidence/page.ts"
import type { Report } from "../load/report.ts"
import { readRun } from "../load/saved-run.ts"
import { parsedBy } from "./options.ts"

interface EvidenceOptions {
  readonly out?: string
  readonly mutants?: string
  readonly json?: boolean
}

const HELP = `
RUN is the folder of an "obscura fleet", or its report.json. Of each provision of EN 303 645, CRA Annex I and NIST IR 8425
the document says which checks speak for it, what came of them, on which firmware and with which seed; and where there is
no check, that there is none. Checks that no run makes come from a file:

  obscura mutants --json > mutants.json
  obscura evidence runs/RUN --mutants mutants.json

Exit codes: 0 nothing failed; 1 something did; 2 wrong call, or no report.`

export function evidenceCommand(): Command {
  return new Command("evidence")
    .description("write what a run shows for the provisions of security standards")
    .argument("<run>", "a run's folder, or its report.json")
    .addOption(
      new Option(
        "--out <file>",
        "the page, its JSON beside it; default: evidence.html in the run's folder",
      ).argParser(parsedBy(parsePageName)),
    )
    .option("--mutants <file>", 'what "obscura mutants --json" printed, on the same firmware')
    .option("--json", "print the document as JSON instead of a summary")
    .addHelpText("after", HELP)
    .action(evidence)
}

async function evidence(run: string, { out, mutants, json }: EvidenceOptions): Promise<void> {
  const { path, report } = await readRun(run)
  const rows = mutants === undefined ? null : await rowsIn(mutants, report)
  const document = documentOf(report, rows, await programOf(report))
  const page = out ?? join(/\.json$/.test(path) ? dirname(path) : path, "evidence.html")
  const data = page.replace(/\.html?$/i, ".json")
  await write(page, evidencePage(document))
  await write(data, `${JSON.stringify(document, null, 2)}\n`)
  if (json) console.log(JSON.stringify(document, null, 2))
  else console.log(`${summaryOf(document)}\n\n${page}\n${data}`)
  if (document.standards.some((each) => countsOf(each).failed > 0)) process.exitCode = 1
}

/** @throws Fault "usage": not such a file, or it ran on another firmware. */
async function rowsIn(path: string, { firmware }: Report): Promise<SavedRows> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new Fault("usage", `${path}: cannot be read (${messageOf(cause)})`, { cause })
  })
  const rows = parseRows(text, path)
  if (rows.firmware !== firmware)
    throw new Fault(
      "usage",
      `${path}: ran on firmware ${rows.firmware.slice(0, 12)}, the run on ${firmware?.slice(0, 12) ?? "an unknown one"}; run both on one source`,
    )
  return rows
}

function summaryOf({ standards }: EvidenceDocument): string {
  const rows = standards.map((standard) => {
    const counts = countsOf(standard)
    return [standard.name, ...RESULTS.map((each) => `${counts[each]}`)]
  })
  const failed = standards.flatMap(({ name, provisions }) =>
    provisions
      .filter(({ result }) => result === "failed")
      .map(({ id, title, proofs }) => {
        const by = proofs.filter(({ result }) => result === "failed").map((proof) => proof.name)
        return `${name} ${id}, ${title}: failed by ${by.join(", ")}`
      }),
  )
  return [aligned([["provisions", ...RESULTS], ...rows]), ...failed].join("\n")
}

/** @throws Fault "usage": another kind of file, which would be gone. */
function parsePageName(path: string): string {
  if (!/\.html?$/i.test(path)) throw new Fault("usage", "it looks like evidence.html.")
  return path
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text)
  } catch (cause) {
    throw new Fault("usage", `${path}: cannot be written (${messageOf(cause)}); choose another --out`, {
      cause,
    })
  }
}
