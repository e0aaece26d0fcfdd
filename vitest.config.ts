import { readdirSync } from "node:fs"
import { join, relative } from "node:path"
import { defineConfig } from "vitest/config"
import { reachedFrom } from "./test/import-graph.ts"
import { mutants } from "./test/mutants.ts"
import { root } from "./test/support.ts"

// Further certificate authorities of this machine: every node reads them as it starts, and tests start many. None asks them.
delete process.env.NODE_EXTRA_CA_CERTS

/**
 * Test files that have a process of their own: those that replace time, which stays so, and those that run commands, which
 * listen to the process's signals. Of the others many run in one process, so that what they all import is loaded once.
 */
function alone(): string[] {
  const tests = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.ts"))
    .map((path) => join(root, "test", path))
  return tests
    .filter((test) => [...reachedFrom(test)].some((file) => NEEDS_A_PROCESS.test(relative(root, file))))
    .map((test) => relative(root, test))
}

const NEEDS_A_PROCESS = /^harness\/(?:virtual\/install\.ts|commands\/)/
const ALONE = alone()

export default defineConfig({
  plugins: [mutants()],
  test: {
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Most of a test here is waiting: for a post-roll, a back-off, a process that starts.
    maxWorkers: 8,
    projects: [
      {
        extends: true,
        test: { name: "together", isolate: false, include: ["test/**/*.test.ts"], exclude: ALONE },
      },
      { extends: true, test: { name: "alone", include: ALONE } },
    ],
  },
})
