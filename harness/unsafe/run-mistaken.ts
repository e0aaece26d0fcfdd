import { messageOf } from "../../firmware/errors.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import type { Tally } from "../checks/check.ts"
import type { FromChecks, ToChecks } from "../checks/messages.ts"
import { Child } from "../load/child.ts"
import { checkPatches, type Mistake, ROOT } from "./mistake.ts"

/** Of one check: what it counted, or why it could not. */
export type Outcome = { readonly tally: Tally; readonly cpuSeconds: number } | { readonly stuck: string }

const PROCESS = new URL("../checks/checks-process.ts", import.meta.url)
const WITHIN: Milliseconds = seconds(100)

/**
 * Runs the checks with these ids of the theme in a fresh process, on sources in which the mistake, if any, has been made:
 * a loader of that process patches them as they are read. Nothing that ships can be told to do so.
 *
 * @throws Fault "broken": a patch does not fit its source.
 */
export async function runChecks(
  theme: string,
  ids: readonly string[],
  mistake: Mistake | null,
): Promise<ReadonlyMap<string, Outcome>> {
  if (mistake) checkPatches(mistake)
  const child = new Child<ToChecks, FromChecks>("checks", PROCESS, mistake ? [loaderOf(mistake)] : [])
  const of = new Map<string, Outcome>()
  child.on("checked", ({ id, tally, cpuSeconds }) => void of.set(id, { tally, cpuSeconds }))
  child.on("stuck", ({ id, reason }) => void of.set(id, { stuck: reason }))
  const finished = child.next("finished")
  child.send({ kind: "check", theme, ids })
  const late = tooLate()
  try {
    await Promise.race([finished, late.promise])
  } catch (error) {
    for (const id of ids) if (!of.has(id)) of.set(id, { stuck: messageOf(error) })
  } finally {
    late.cancel()
    await child.kill()
  }
  return of
}

/** A module, as a URL, that makes its process read patched sources. */
function loaderOf({ patches }: Mistake): string {
  const hooks = new URL("patch-hooks.js", import.meta.url).href
  const data = patches.map(({ path, from, to }) => ({ url: new URL(path, ROOT).href, from, to }))
  const code = `import { register } from "node:module"
register(${JSON.stringify(hooks)}, { data: ${JSON.stringify(data)} })`
  return `data:text/javascript,${encodeURIComponent(code)}`
}

function tooLate(): { readonly promise: Promise<never>; cancel(): void } {
  let timer: NodeJS.Timeout | undefined
  const promise = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`still at it after ${WITHIN / 1_000} s`)), WITHIN)
  })
  return { promise, cancel: () => clearTimeout(timer) }
}
