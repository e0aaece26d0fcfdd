import { defineConfig } from "vitest/config"
import { mutants } from "./test/mutants.ts"

export default defineConfig({
  plugins: [mutants()],
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    maxWorkers: 2,
  },
})
