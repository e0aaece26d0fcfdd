import { defineConfig } from "vitest/config"
import { mutants } from "./test/mutants.ts"

export default defineConfig({
  plugins: [mutants()],
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Most of a test here is waiting: for a post-roll, a back-off, a process that starts.
    maxWorkers: 6,
  },
})
