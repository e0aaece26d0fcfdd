import { Fault } from "../../firmware/errors.ts"
import type { Clock } from "../../firmware/ports.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import { type Chip, explain, inUse, isOurs, readLines } from "./chip.ts"
import type { HeldTool, ToolEnd, Tools } from "./tools.ts"
import { aborted, deferred } from "./waits.ts"

/**
 * A gpioset or gpiomon that has its lines.
 *
 * That its process runs says nothing: it may still be on its way to the kernel. Version 2 prints a banner once the
 * kernel has granted the lines, with the levels that were asked for (`--banner`, flushed). Version 1 prints nothing, so
 * the kernel is asked, by gpioinfo: nobody held the lines before, and now a tool of that name does. What that cannot tell
 * is a gpioset of somebody else that got in between the two questions: ours then ends with "busy", a moment later.
 */
export interface HeldLines {
  readonly tool: HeldTool
  readonly pins: readonly number[]
}

export interface LineRequest {
  readonly tool: "gpioset" | "gpiomon"
  readonly args: readonly string[]
  readonly pins: readonly number[]
  /** Told what the tool prints, but for its banner. */
  readonly onLine?: (line: string) => void
}

/** A tool that has not got its lines after this is stuck: it is stopped. */
const GRANTED_WITHIN: Milliseconds = 5_000
const ASK_AGAIN_FIRST: Milliseconds = 5
const ASK_AGAIN_LONGEST: Milliseconds = 200

/**
 * Resolves once the kernel has granted the lines. An aborted `signal` stops waiting, as if the tool were stuck.
 * @throws Fault, definite: the tool ended and said why. Indefinite: it was ended, or is stuck.
 */
export async function holdLines(
  tools: Tools,
  clock: Clock,
  chip: Chip,
  request: LineRequest,
  signal: AbortSignal,
): Promise<HeldLines> {
  const { pins } = request
  if (chip.version === 1) {
    const taken = (await readLines(tools, chip, pins)).find((line) => line.consumer !== null)
    if (taken) throw inUse(taken)
  }
  const banner = deferred()
  const tool = await tools.hold(request.tool, request.args, (line) => {
    if (chip.version === 2 && /^(?:Setting|Monitoring) line/.test(line)) banner.resolve()
    else request.onLine?.(line)
  })
  const decided = new AbortController()
  const granted =
    chip.version === 2 ? banner.promise : askUntilHeld(tools, clock, chip, request, decided.signal)
  try {
    const outcome = await Promise.race([
      granted.then((): "granted" => "granted"),
      tool.ended,
      clock.sleep(GRANTED_WITHIN, decided.signal).then((): "stuck" => "stuck"),
      aborted(signal, decided.signal).then((): "stuck" => "stuck"),
    ])
    if (outcome === "granted") return { tool, pins }
    if (outcome === "stuck")
      throw new Fault("unavailable", `${request.tool}: does not get its lines`, { definite: false })
    throw await faultOf(tools, chip, pins, outcome)
  } catch (error) {
    await tool.stop()
    throw error
  } finally {
    decided.abort()
  }
}

/** Why a tool that held or wanted lines ended. Definite if it said so itself. */
export async function faultOf(
  tools: Tools,
  chip: Chip,
  pins: readonly number[],
  end: ToolEnd,
): Promise<Fault> {
  if (end.answered) return explain(tools, chip, pins, end)
  return new Fault("unavailable", `GPIO ${pins.join(", ")}: ${end.reason}`, { definite: false })
}

async function askUntilHeld(
  tools: Tools,
  clock: Clock,
  chip: Chip,
  { tool, pins }: LineRequest,
  signal: AbortSignal,
): Promise<void> {
  const direction = tool === "gpioset" ? "output" : "input"
  let wait = ASK_AGAIN_FIRST
  while (!signal.aborted) {
    const lines = await readLines(tools, chip, pins)
    if (lines.every((line) => isOurs(chip, line, tool) && line.direction === direction)) return
    await clock.sleep(wait, signal)
    wait = Math.min(wait * 2, ASK_AGAIN_LONGEST)
  }
  // Nobody waits any more: neither kept nor broken.
  await new Promise<never>(() => undefined)
}
