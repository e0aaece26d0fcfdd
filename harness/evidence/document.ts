import { createHash } from "node:crypto"
import { makeBundle, PROGRAM } from "../../hardware/flash/bundle.ts"
import type { SavedRows } from "../checks/saved-rows.ts"
import type { Report } from "../load/report.ts"
import { firmwareHash } from "../load/source-hash.ts"
import { evidenceOf, type ProvisionResult, type StandardEvidence } from "./results.ts"
import { STANDARDS } from "./standards.ts"

/** What one run shows for the provisions of each standard: the JSON that is written, and what the page is made of. */
export interface EvidenceDocument {
  readonly schema: "obscura.evidence.v1"
  readonly run: {
    readonly scenario: string
    readonly seed: number
    readonly commit: string
    readonly command: string
    readonly cameras: number
    readonly exitCode: number
    /** SHA-256 of the camera's sources that ran; null: the report does not say. */
    readonly firmware: string | null
  }
  /** SHA-256 of the program that a Pi installs, built from these sources; null: they are not those that ran. */
  readonly program: { readonly name: string; readonly sha256: string } | null
  /** Whether rows of "obscura mutants" were given. */
  readonly mutants: boolean
  readonly standards: readonly StandardEvidence[]
}

export function documentOf(
  report: Report,
  rows: SavedRows | null,
  program: EvidenceDocument["program"],
): EvidenceDocument {
  const { scenario, seed, commit, command, cameras, exitCode, firmware = null } = report
  return {
    schema: "obscura.evidence.v1",
    run: { scenario, seed, commit, command, cameras: cameras.asked, exitCode, firmware },
    program,
    mutants: rows !== null,
    standards: STANDARDS.map((standard) => evidenceOf(standard, report, rows)),
  }
}

/** As built from the sources at hand, where they are those of the run. @throws Fault as `makeBundle`. */
export async function programOf({ firmware }: Report): Promise<EvidenceDocument["program"]> {
  if (firmware === undefined || firmware !== (await firmwareHash())) return null
  const bytes = (await makeBundle()).files.get(PROGRAM)
  return bytes ? { name: PROGRAM, sha256: createHash("sha256").update(bytes).digest("hex") } : null
}

export const RESULTS = ["failed", "held", "held in part", "not run", "in npm test", "no check"] as const

/** How many provisions came to what. */
export function countsOf({ provisions }: StandardEvidence): Readonly<Record<ProvisionResult, number>> {
  const count = (wanted: ProvisionResult) => provisions.filter(({ result }) => result === wanted).length
  return {
    ...{ failed: count("failed"), held: count("held"), "held in part": count("held in part") },
    ...{ "not run": count("not run"), "in npm test": count("in npm test"), "no check": count("no check") },
  }
}
