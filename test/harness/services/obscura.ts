import { vi } from "vitest"
import { run } from "../../../harness/cli.ts"

/** `obscura WORDS` in this process, and what it prints. One at a time, for they share a console. */
export async function obscura(...words: string[]): Promise<{ code: number; output: string }> {
  const lines: string[] = []
  const print = (line: unknown) => void lines.push(String(line))
  const spies = [vi.spyOn(console, "log"), vi.spyOn(console, "error")]
  for (const spy of spies) spy.mockImplementation(print)
  process.exitCode = 0
  try {
    return { code: await run(["node", "obscura", ...words]), output: lines.join("\n") }
  } finally {
    process.exitCode = undefined
    for (const spy of spies) spy.mockRestore()
  }
}

/** As a person at the terminal who presses Ctrl-C. */
export const pressCtrlC = (): boolean => process.emit("SIGINT")
