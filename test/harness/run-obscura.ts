import { spawn } from "node:child_process"
import { join } from "node:path"
import { vi } from "vitest"
import { run } from "../../harness/cli.ts"
import { type Running, running } from "../running.ts"
import { root } from "../support.ts"

/**
 * `obscura WORDS`, called from the folder `from`, in a process of its own, as a person calls it. A command that hangs is
 * a failure of its test, not a process that stays behind.
 */
export function startObscura(from: string, ...words: readonly string[]): Running {
  return running(
    spawn(process.execPath, [join(root, "harness/obscura.js"), ...words], {
      ...{ cwd: from, stdio: ["ignore", "pipe", "pipe"], timeout: 100_000, killSignal: "SIGKILL" },
    }),
  )
}

export interface Answer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** Both, as they came. */
  readonly output: string
}

/**
 * The same in this process, at a tenth of the cost. One call at a time: while it runs it has the process's output, folder
 * and exit code.
 */
export async function obscura(from: string, ...words: readonly string[]): Promise<Answer> {
  const said: { readonly to: "stdout" | "stderr"; readonly text: string }[] = []
  const spies = [
    ...(["stdout", "stderr"] as const).map((to) =>
      vi.spyOn(process[to], "write").mockImplementation((text) => said.push({ to, text: String(text) }) > 0),
    ),
    vi.spyOn(console, "log").mockImplementation((line) => said.push({ to: "stdout", text: `${line}\n` })),
    vi.spyOn(console, "error").mockImplementation((line) => said.push({ to: "stderr", text: `${line}\n` })),
  ]
  const before = process.cwd()
  process.chdir(from)
  process.exitCode = undefined
  try {
    const code = await run(["node", "obscura", ...words])
    const of = (...those: readonly string[]) =>
      said.flatMap(({ to, text }) => (those.includes(to) ? [text] : [])).join("")
    return { code, stdout: of("stdout"), stderr: of("stderr"), output: of("stdout", "stderr") }
  } finally {
    process.exitCode = undefined
    process.chdir(before)
    for (const spy of spies) spy.mockRestore()
  }
}
