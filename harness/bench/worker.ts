import { messageOf } from "../../firmware/errors.ts"
import type { Answer } from "./process.ts"

/** What one process can be asked. */
export type Work = Readonly<Record<string, (argument: never) => unknown>>

/** Each loads only what it measures. */
const WORKS = {
  seal: () => import("./seal-work.ts"),
  mux: () => import("./mux-work.ts"),
  cloud: () => import("./cloud-work.ts"),
  fleet: () => import("./fleet-work.ts"),
  idle: () => import("./idle-work.ts"),
  clients: () => import("./clients-work.ts"),
  "loopback-receiver": () => import("./loopback-receiver-work.ts"),
  "loopback-sender": () => import("./loopback-sender-work.ts"),
}
export type WorkName = keyof typeof WORKS

const [name, options] = process.argv.slice(2)
const module = await WORKS[name as WorkName]()
const work: Work = await module.begin(JSON.parse(options ?? "{}"))

process.on("message", ({ question, argument }: { question: string; argument: never }) => {
  void answer(question, argument).then((result) => process.send?.(result))
})
// Ctrl-C reaches this process too, but it ends with the bench, in order.
process.on("SIGINT", () => undefined)
process.on(
  "disconnect",
  () => void Promise.resolve(work.close?.(null as never)).finally(() => process.exit(0)),
)
process.send?.({ value: null } satisfies Answer)

async function answer(question: string, argument: never): Promise<Answer> {
  try {
    if (question === "cpu") return { value: cpuSeconds() }
    const task = work[question]
    return task ? { value: await task(argument) } : { error: `cannot be asked ${question}` }
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? messageOf(error)) : messageOf(error) }
  }
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
