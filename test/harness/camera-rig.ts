import type { onTestFinished } from "vitest"
import type { LogLine } from "../../firmware/log.ts"
import { type Home, openHome } from "./home.ts"

/** Closed when the test that opened it ends. */
export async function open(
  onFinished: typeof onTestFinished,
  ...options: Parameters<typeof openHome>
): Promise<Home> {
  const home = await openHome(...options)
  onFinished(() => home.close())
  return home
}

export const recorded = (line: LogLine) => line.event === "clip recorded"
export const received = (line: LogLine) => line.event === "received"

export async function walkBy(home: Home, forMilliseconds = 700): Promise<void> {
  home.visitor.moves(true)
  await home.board.clock.sleep(forMilliseconds)
  home.visitor.moves(false)
  await home.line(recorded)
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20))
}
