import { messageOf } from "../../firmware/errors.ts"
import type { Bytes, Seconds } from "../../firmware/units.ts"
import type { Answer } from "./process.ts"

/** What one process can be asked. */
export type Work = Readonly<Record<string, (argument: never) => unknown>>

/** A module that does one kind of work; it is loaded when it is called for, so that each process has only its own. */
export type LoadWork = () => Promise<{ readonly begin: (options: never) => Promise<Work> }>

/** In a process that `BenchProcess` started: begins the work it was started for, and answers until it is let go. */
export async function serveWork(works: Readonly<Record<string, LoadWork>>): Promise<void> {
  const [name = "", options] = process.argv.slice(2)
  const load = works[name]
  if (load === undefined) throw new Error(`there is no work ${name}`)
  const work = await (await load()).begin(JSON.parse(options ?? "{}") as never)

  process.on("message", ({ question, argument }: { question: string; argument: never }) => {
    void answer(work, question, argument).then((result) => process.send?.(result))
  })
  // Ctrl-C reaches this process too, but it ends with the bench, in order.
  process.on("SIGINT", () => undefined)
  process.on(
    "disconnect",
    () => void Promise.resolve(work.close?.(null as never)).finally(() => process.exit(0)),
  )
  process.send?.({ value: null } satisfies Answer)
}

async function answer(work: Work, question: string, argument: never): Promise<Answer> {
  try {
    if (question === "cpu") return { value: cpuSeconds() }
    if (question === "peak") return { value: peakBytes() }
    const task = work[question]
    return task ? { value: await task(argument) } : { error: `cannot be asked ${question}` }
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? messageOf(error)) : messageOf(error) }
  }
}

function cpuSeconds(): Seconds {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** The most that was ever resident. */
function peakBytes(): Bytes {
  return process.resourceUsage().maxRSS * 1_024
}
