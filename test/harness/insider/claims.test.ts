import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { checkClaims, claimsIn, testsIn } from "../../../harness/insider/claims.ts"
import { root } from "../../support.ts"

const table = (...rows: readonly string[]) =>
  `# A\n\n| promise | check |\n|---|---|\n${rows.join("\n")}\n\ntext\n`

describe("each promise of the README", () => {
  test("points at a test that is there", () => {
    const { tries, violations, evidence } = checkClaims(readFileSync(join(root, "README.md"), "utf8"), root)
    expect(evidence).toEqual([])
    expect(violations).toBe(0)
    expect(tries).toBeGreaterThan(20)
  })
})

describe("a promise is found wanting that", () => {
  test.each([
    ["points at nothing", "| Always encrypted | our word |"],
    ["points at a file that is gone", "| A | [test](test/gone.test.ts) |"],
    ["points at a folder without a test", "| A | [docs](firmware/design) |"],
    ["points at a check that there is not", "| A | C22 |"],
    ["has an empty cell", "| A | |"],
  ])("%s", (_why, row) => {
    expect(checkClaims(table("| B | C1 |", row), root)).toMatchObject({ violations: 1 })
  })

  test("a page without the table has tried nothing, which fails the check", () => {
    expect(checkClaims("# Nothing is promised\n", root).tries).toBe(0)
    expect(claimsIn("")).toEqual([])
    expect(claimsIn("| promise | check |")).toEqual([])
  })
})

test("every table of a page counts; links lead from its folder, paths in code from the root", () => {
  const page =
    table("| A | [x](../test/a.test.ts) |") + table("| B | `test/b.test.ts`, `obscura mutants Tuning` |")
  expect(claimsIn(page, "firmware").map(({ links }) => links)).toEqual([
    ["test/a.test.ts"],
    ["test/b.test.ts"],
  ])
})

test("each promise of the camera's own page points at a test, too", () => {
  const page = readFileSync(join(root, "firmware/README.md"), "utf8")
  const { tries, evidence } = checkClaims(page, root, "firmware")
  expect(evidence).toEqual([])
  expect(tries).toBeGreaterThan(20)
})

test("links and checks of a row are read, whatever stands between them", () => {
  expect(claimsIn(table("| A | [x](test/a.test.ts), C3 and [y](test/b#c) |"))).toEqual([
    { says: "A", links: ["test/a.test.ts", "test/b"], checks: ["C3"] },
  ])
  expect(testsIn(join(root, "test/house.test.ts"))).toBeGreaterThan(0)
})
