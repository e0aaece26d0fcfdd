import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { Tries } from "../checks/check.ts"
import { PRIVACY_CHECKS } from "./privacy-checks.ts"
import { together } from "./tallies.ts"
import type { Insider } from "./world.ts"

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
/** The first must promise something; the others may. */
const DOCUMENTS = ["README.md", "firmware/README.md", "harness/README.md"]

export interface Claim {
  readonly says: string
  /** Files and folders of tests, from the repository's root. */
  readonly links: readonly string[]
  /** C1 to C21. */
  readonly checks: readonly string[]
}

const HEAD = /^\|\s*promise\s*\|\s*check\s*\|/i

/**
 * The rows of each table "| promise | check |", in whatever order of columns text and links come. Links lead from `folder`,
 * where the page is; paths in code, `test/a.test.ts`, from the root.
 */
export function claimsIn(markdown: string, folder = "."): readonly Claim[] {
  const lines = markdown.split("\n")
  const rows = lines.flatMap((line, at) => {
    if (!HEAD.test(line)) return []
    const rest = lines.slice(at + 2)
    const end = rest.findIndex((each) => !each.startsWith("|"))
    return rest.slice(0, end < 0 ? undefined : end)
  })
  return rows.map((line) => {
    const [, says = "", ...check] = line.split("|").map((cell) => cell.trim())
    const text = check.join("|")
    const links = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)\s]*)?\)/g)].map(([, link = ""]) =>
      join(folder, link),
    )
    const paths = [...text.matchAll(/`(test\/[^`\s]*)`/g)].map(([, path = ""]) => path)
    return {
      says,
      links: [...links, ...paths],
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
export function checkClaims(markdown: string, root: string, folder = "."): Tries {
  const tries = new Tries()
  for (const { says, links, checks } of claimsIn(markdown, folder)) {
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
    C17: {
      when: "after",
      async run() {
        const [first, ...rest] = DOCUMENTS.map((name) =>
          checkClaims(readFileSync(join(ROOT, name), "utf8"), ROOT, dirname(name)),
        )
        if (!first || first.tries === 0) throw new Error("the documents promise nothing")
        return together([first, ...rest])
      },
    },
  },
}
