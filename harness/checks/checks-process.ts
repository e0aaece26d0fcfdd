import { serve } from "../load/child.ts"
import { THEMES } from "./list.ts"
import type { FromChecks, ToChecks } from "./messages.ts"

/** Runs checks of one theme, one after the other, in a process of their own: a theme may replace the time of its process. */

serve<ToChecks, FromChecks>(async ({ theme, ids }, send) => {
  const { checks, close } = await load(theme)
  const stop = new AbortController()
  for (const id of ids) {
    const before = process.cpuUsage()
    try {
      const run = checks[id]
      if (!run) throw new Error(`the theme "${theme}" has no check ${id}`)
      const { tries, violations, evidence, leaked } = await run(stop.signal)
      const tally = { tries, violations, evidence, ...(leaked && { leaked }) }
      send({ kind: "checked", id, tally, cpuSeconds: secondsSince(before) })
    } catch (error) {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
      send({ kind: "stuck", id, reason })
    }
  }
  await close?.()
  send({ kind: "finished" })
})

async function load(rule: string) {
  const theme = THEMES.find((one) => one.rule === rule)
  if (!theme) throw new Error(`no theme "${rule}"`)
  return theme.load()
}

function secondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000_000
}
