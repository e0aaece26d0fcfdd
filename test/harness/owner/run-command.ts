import { vi } from "vitest"
import { ownerCommand } from "../../../harness/commands/owner.ts"

/** `obscura owner WORDS` in this process. */
export async function owner(...words: string[]): Promise<{ code: number; output: string }> {
  const lines: string[] = []
  const print = (line: unknown) => void lines.push(String(line))
  const spies = [vi.spyOn(console, "log"), vi.spyOn(console, "error")]
  for (const spy of spies) spy.mockImplementation(print)
  process.exitCode = 0
  try {
    await ownerCommand().exitOverride().parseAsync(words, { from: "user" })
    return { code: Number(process.exitCode), output: lines.join("\n") }
  } finally {
    process.exitCode = undefined
    for (const spy of spies) spy.mockRestore()
  }
}
