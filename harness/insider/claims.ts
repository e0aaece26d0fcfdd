import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { Tries } from "../checks/check.ts"
import { PRIVACY_CHECKS } from "./privacy-checks.ts"
import type { Insider } from "./world.ts"

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const DOCUMENT = "README.md"

export interface Claim {
  readonly says: string
  /** Files and folders of tests, from the repository's root. */
  readonly links: readonly string[]
  /** C1 to C21. */
  readonly checks: readonly string[]
}

/** The rows of the table "| promise | check |", in whatever order of columns text and links come. */
export function claimsIn(markdown: string): readonly Claim[] {
  const lines = markdown.split("\n")
  const head = lines.findIndex((line) => /^\|\s*promise\s*\|\s*check\s*\|/i.test(line))
  if (head < 0) return []
  const rest = lines.slice(head + 2)
  const end = rest.findIndex((line) => !line.startsWith("|"))
  return rest.slice(0, end < 0 ? undefined : end).map((line) => {
    const [, says = "", ...check] = line.split("|").map((cell) => cell.trim())
    const text = check.join("|")
    return {
      says,
      links: [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)\s]*)?\)/g)].map(([, link = ""]) => link),
      checks: [...text.matchAll(/\bC\d{1,2}\b/g)].map(([id]) => id),
    }
  })
}

/** How many tests a linked file or folder holds. */
export function testsIn(path: string): number {
  if (!existsSync(path)) return 0
  const files = statSync(path).isDirectory()
    ? readdirSync(path, { recursive: true, encoding: "utf8" }).map((name) => join(path, name))
    : [path]
  return files
    .filter((file) => file.endsWith(".test.ts"))
    .reduce(
      (sum, file) =>
        sum + (readFileSync(file, "utf8").match(/\b(?:test|promise)(?:\.\w+)*\s*\(/g)?.length ?? 0),
      0,
    )
}

/** Each row of `markdown` must lead to a test that is there, or to a check of this list. */
export function checkClaims(markdown: string, root: string): Tries {
  const tries = new Tries()
  for (const { says, links, checks } of claimsIn(markdown)) {
    const claim = `"${says.slice(0, 60)}"`
    tries.holds(links.length + checks.length > 0, `${claim} points at no check`)
    for (const link of links)
      tries.holds(testsIn(join(root, link)) > 0, `${claim} points at ${link}, where no test is`)
    for (const id of checks) tries.holds(id in PRIVACY_CHECKS, `${claim} points at ${id}, which there is not`)
  }
  return tries
}

/** Believes what is written, and looks it up. */
export const reader: Insider = {
  name: "reader",
  has: "the documents, and the time to look up what they promise",
  attempts: {
    C17: { when: "after", run: async () => checkClaims(readFileSync(join(ROOT, DOCUMENT), "utf8"), ROOT) },
  },
}
