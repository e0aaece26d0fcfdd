import { vi } from "vitest"
import { main } from "../../../harness/cli.ts"

/** `obscura WORDS` in this process, with what it writes, byte for byte. */
export async function runMain(
  ...words: readonly string[]
): Promise<{ code: number; bytes: Buffer; err: string }> {
  const pieces: Buffer[] = []
  let err = ""
  const writing = vi.spyOn(process.stdout, "write").mockImplementation((piece) => {
    pieces.push(Buffer.from(piece))
    return true
  })
  const complaining = vi.spyOn(console, "error").mockImplementation((line) => {
    err += `${line}\n`
  })
  const printing = vi.spyOn(console, "log").mockImplementation((line) => {
    pieces.push(Buffer.from(`${line}\n`))
  })
  process.exitCode = 0
  try {
    await main(["node", "obscura", ...words])
    return { code: Number(process.exitCode), bytes: Buffer.concat(pieces), err }
  } finally {
    process.exitCode = 0
    // Each call of the program listens anew.
    process.stdout.removeAllListeners("error")
    writing.mockRestore()
    printing.mockRestore()
    complaining.mockRestore()
  }
}
