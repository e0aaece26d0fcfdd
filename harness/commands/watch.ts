import { spawn } from "node:child_process"
import { watch } from "node:fs"
import { join } from "node:path"

const WATCHED = ["firmware", "simulator", "harness", "hardware"]
/** An editor writes a file in several steps. */
const SETTLE_MILLISECONDS = 200

/** Runs this same command without `--watch` in a child, and again whenever a source file is saved. */
export function rerunOnSave(argv: readonly string[]): Promise<void> {
  const root = join(import.meta.dirname, "..", "..")
  const again = argv.slice(1).filter((each) => each !== "--watch")
  let settle: NodeJS.Timeout | undefined
  let ended = false
  const start = () => spawn(process.execPath, again, { stdio: "inherit" })
  let child = start()
  const restart = (file: string) => {
    console.error(`\nobscura: ${file} was saved, starting again\n`)
    const old = child
    old.removeAllListeners("exit")
    old.once("exit", (code) => {
      if (ended) return finish(code)
      child = start()
      child.once("exit", finish)
    })
    old.kill("SIGTERM")
  }
  const watchers = WATCHED.map((folder) =>
    watch(join(root, folder), { recursive: true }, (_, file) => {
      if (!file?.endsWith(".ts") || ended) return
      clearTimeout(settle)
      settle = setTimeout(() => restart(join(folder, file)), SETTLE_MILLISECONDS)
    }),
  )
  let done: () => void = () => undefined
  const finish = (code: number | null) => {
    ended = true
    process.exitCode = code ?? 1
    for (const watcher of watchers) watcher.close()
    done()
  }
  child.once("exit", finish)
  // The terminal sends Ctrl-C to the child as well; this process only waits for it to end in order.
  process.on("SIGINT", () => undefined)
  // These come to this process alone.
  for (const signal of ["SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      ended = true
      clearTimeout(settle)
      child.kill("SIGTERM")
    })
  return new Promise((resolve) => {
    done = resolve
  })
}
