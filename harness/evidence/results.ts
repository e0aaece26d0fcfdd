import type { SavedRows } from "../checks/saved-rows.ts"
import { INVARIANTS } from "../load/findings.ts"
import type { Report } from "../load/report.ts"
import type { Proof, Provision, Standard } from "./provision.ts"

/** held, failed: by what ran. "not run": by nothing that was given. "in npm test": never a part of a run. */
export type ProofResult = "held" | "failed" | "not run" | "in npm test"
/** As its proofs: one that failed fails it; "in part": some held, some did not run. "no check": nothing here checks it. */
export type ProvisionResult = "held" | "held in part" | "failed" | "not run" | "in npm test" | "no check"

export interface Proven {
  readonly kind: Proof["kind"]
  readonly name: string
  readonly says: string
  readonly result: ProofResult
  /** null: not counted. */
  readonly tries: number | null
  readonly violations: number | null
  /** Of the mistakes on which this check must fail: how many it found of how many; null: not run. */
  readonly mistakes: { readonly found: number; readonly of: number } | null
  /** What repeats it; null: not of a run. */
  readonly seed: number | null
  /** SHA-256 of the camera's sources on which it ran; null: nobody wrote it down. */
  readonly firmware: string | null
}

export interface ProvisionEvidence extends Omit<Provision, "proofs" | "note"> {
  readonly result: ProvisionResult
  readonly note: string | null
  readonly proofs: readonly Proven[]
}

export interface StandardEvidence extends Omit<Standard, "provisions"> {
  readonly provisions: readonly ProvisionEvidence[]
}

/** What a run, and the rows of `obscura mutants` where they are given, say for each provision. */
export function evidenceOf(
  { name, title, provisions }: Standard,
  report: Report,
  rows: SavedRows | null,
): StandardEvidence {
  const proven = provisions.map(({ id, title, note, proofs }) => {
    const its = proofs.map((proof) => provenBy(proof, report, rows))
    return { id, title, result: resultOf(its), note: note ?? null, proofs: its }
  })
  return { name, title, provisions: proven }
}

function resultOf(proofs: readonly Proven[]): ProvisionResult {
  const has = (wanted: ProofResult) => proofs.some(({ result }) => result === wanted)
  if (has("failed")) return "failed"
  if (has("held")) return has("not run") ? "held in part" : "held"
  if (has("not run")) return "not run"
  return has("in npm test") ? "in npm test" : "no check"
}

const NOTHING = { tries: null, violations: null, mistakes: null, seed: null, firmware: null } as const

function provenBy(proof: Proof, report: Report, rows: SavedRows | null): Proven {
  const { kind, name } = proof
  if (kind === "tests") return { kind, name, says: "", result: "in npm test", ...NOTHING }
  return kind === "invariant" ? byInvariant(name, report) : byCheck(name, report, rows)
}

function byInvariant(name: keyof typeof INVARIANTS, report: Report): Proven {
  const of = { kind: "invariant", name, says: INVARIANTS[name] } as const
  const found = report.invariants.find((each) => each.name === name)
  if (!found) return { ...of, result: "not run", ...NOTHING }
  // A run without a clip has shown nothing.
  const held = found.count <= found.limit && report.clips.recorded > 0
  return {
    ...of,
    ...{ says: found.detail, result: held ? "held" : "failed" },
    ...{ tries: null, violations: found.count, mistakes: null },
    ...{ seed: report.seed, firmware: report.firmware ?? null },
  }
}

/** By the run, where insiders tried it; else by the rows. With its mistakes by the rows, else as the run knows them. */
function byCheck(name: string, report: Report, rows: SavedRows | null): Proven {
  const own = rows?.rows.filter(({ check }) => check === name) ?? []
  const [row] = own
  const bent = own.flatMap(({ unsafe }) => (unsafe === null ? [] : [unsafe]))
  const found = bent.filter((each) => !("stuck" in each) && each.tries > 0 && each.violations > 0)
  const inRun = report.checks?.find(({ id }) => id === name)
  const known = inRun?.mutantViolations ?? null
  const asKnown = known === null ? null : { found: known > 0 ? 1 : 0, of: 1 }
  const mistakes = bent.length > 0 ? { found: found.length, of: bent.length } : asKnown
  const says = inRun?.says ?? row?.says ?? ""
  const tally = inRun ?? row?.safe
  if (tally === undefined) return { kind: "check", name, says, result: "not run", ...NOTHING }
  const { tries, violations } = "stuck" in tally ? { tries: 0, violations: 0 } : tally
  const held = tries > 0 && violations === 0 && (mistakes === null || mistakes.found === mistakes.of)
  return {
    ...{ kind: "check", name, says, result: held ? "held" : "failed" },
    ...{ tries, violations, mistakes },
    seed: inRun ? report.seed : null,
    firmware: (inRun ? report.firmware : rows?.firmware) ?? null,
  }
}
