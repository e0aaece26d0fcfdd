import { Command, Option } from "commander"
import { parseRecipient, type Recipient } from "../../firmware/delivery/recipient.ts"
import { Fault, messageOf } from "../../firmware/errors.ts"
import type { LogLine } from "../../firmware/log.ts"
import { type Milliseconds, type Seconds, seconds } from "../../firmware/units.ts"
import { SCENES, type SceneName } from "../../simulator/footage.ts"
import type { Compared } from "../twin/compare.ts"
import { differenceLine } from "../twin/difference.ts"
import { BOARDS, type BoardName, clipsOf, isInput, type Trace, type TwinEvent } from "../twin/trace.ts"
import { wholeNumber } from "./options.ts"
import { stopOnSignals } from "./stop.ts"

/**
 * A trace holds what a lens gave, sealed for a key that is not the household's. So this is part of the harness, on a
 * developer's machine or one that an engineer has in hand, and of nothing that ships to a Pi: firmware that could write
 * its lens's bytes for another key would be what obscura is against. Nothing here is imported from `hardware/`.
 *
 * What is loaded when it is called replaces the time of the process, so nothing that tells time may be imported above.
 */

interface RecordCommand {
  readonly board: BoardName
  readonly seconds: Seconds
  readonly out: string
  readonly key?: string
  readonly recipient?: string
  readonly scene: SceneName
  readonly seed: number
  readonly settings: string
}

interface ReplayCommand {
  readonly board: BoardName
  readonly key: string
  readonly tolerance?: Milliseconds
  readonly settings: string
  readonly json?: boolean
}

const HELP = `
  age-keygen -o engineer.key
  obscura twin record --board pi --seconds 60 --key engineer.key --out porch.age     on the Pi: walk by, ring
  obscura twin replay porch.age --key engineer.key                                   on the laptop

A trace holds pictures: it is sealed for that key alone, and never plain on a disk. Compared are the opened clips to the
byte, presentation times, and events with their times. harness/twin/README.md says what is not.

Exit codes: 0 the same; 1 something differs, one line each, or a part of the board does not answer; 2 wrong call, wrong
key, or no trace; 3 the harness itself.`

const RECORD_HELP = `
The camera has a household of its own, in memory, and is gone afterwards. Stop a camera that runs on this machine first
(sudo systemctl stop obscura-camera): pins and lens have one user. Ctrl-C ends a trace sooner; it counts all the same.`

const REPLAY_HELP = `
--board virtual takes seconds: what the pins answered is the trace's, too. --board pi takes as long as the trace did, and
drives this machine's outputs: their lights go on, and events may come later by --tolerance.`

const SECONDS_MAX = 600
const LINES_MAX = 50
const SETTINGS = "/etc/obscura/camera.json"

export function twinCommand(): Command {
  return new Command("twin")
    .description("take down what one board gave its camera, replay it on the other, and say what differs")
    .addHelpText("after", HELP)
    .addCommand(recordCommand())
    .addCommand(replayCommand())
}

function recordCommand(): Command {
  return new Command("record")
    .description("run the firmware on a board, and take down what it gave and what came of it")
    .addOption(
      boardOption("pi: this machine's pins and camera; virtual: the simulator's").makeOptionMandatory(),
    )
    .addOption(
      new Option("--seconds <n>", "how long").argParser(wholeNumber(1, SECONDS_MAX)).makeOptionMandatory(),
    )
    .option("--key <file>", "the engineer's age key, for whose recipient the trace is sealed")
    .addOption(
      new Option("--recipient <age1…>", "its recipient alone; the key need not be here").conflicts("key"),
    )
    .requiredOption("--out <file>", "a new file for the sealed trace")
    .addOption(
      new Option("--scene <name>", "what a virtual camera sees").choices(SCENES).default("day-person"),
    )
    .addOption(
      new Option("--seed <n>", "who comes by a virtual camera").argParser(wholeNumber(0, 2 ** 31)).default(1),
    )
    .addOption(settingsOption())
    .addHelpText("after", RECORD_HELP)
    .action(recordTrace)
}

function replayCommand(): Command {
  return new Command("replay")
    .description("run the firmware on what a trace gave, and compare")
    .argument("<trace>", "file of obscura twin record")
    .requiredOption("--key <file>", "the engineer's age key")
    .addOption(boardOption("on which board").default("virtual"))
    .addOption(
      new Option(
        "--tolerance <ms>",
        "how far apart times of events may be (default: 0; on a Pi 250)",
      ).argParser(wholeNumber(0, 10_000)),
    )
    .addOption(settingsOption())
    .option("--json", "print the comparison as JSON")
    .addHelpText("after", REPLAY_HELP)
    .action(replayTrace)
}

const boardOption = (what: string) => new Option("--board <which>", what).choices(BOARDS)
const settingsOption = () => new Option("--settings <file>", "what the Pi's camera is told").default(SETTINGS)

async function recordTrace(options: RecordCommand): Promise<void> {
  const { board, out, scene, seed, settings } = options
  const duration = seconds(options.seconds)
  const { record } = await import("../twin/record.ts")
  const { TraceFile } = await import("../twin/trace-file.ts")
  const recipient = await recipientOf(options)
  const file = await TraceFile.create(out, recipient)
  const { signal } = stopOnSignals()
  const places = { settings, env: process.env, log: { write: printLine } }
  try {
    const source = board === "pi" ? { board, places } : { board, scene, seed }
    const trace = await record(source, {
      ...{ duration, signal, onEvent: printEvent },
      onBegin: ({ config }) => {
        const { warmUp } = config.motion
        if (board === "virtual") return
        say(`for ${options.seconds} s: walk by, and ring; all that the lens sees is taken down, light or not`)
        if (warmUp > 0) say(`the sensor warms up first: it is not heard for ${warmUp / 1_000} s`)
      },
    })
    await file.write(trace)
    say(`${out}: ${countsOf(trace)}; sealed for ${recipient.text}`)
  } finally {
    await file.close()
  }
}

async function replayTrace(path: string, options: ReplayCommand): Promise<void> {
  const { board, settings, json, tolerance = board === "pi" ? 250 : 0 } = options
  const { replay } = await import("../twin/replay.ts")
  const { readKeyFile, readTraceFile } = await import("../twin/trace-file.ts")
  const { compareRuns } = await import("../twin/compare.ts")
  const { identity } = await readKeyFile(options.key)
  const trace = await readTraceFile(path, identity)
  const places = { settings, env: process.env, log: { write: printLine } }
  const { signal } = stopOnSignals()
  const again = await replay(trace, board === "pi" ? { board, places } : { board }, { signal })
  if (signal.aborted) throw new Fault("usage", "stopped before its end, so nothing is compared")
  const compared = compareRuns(trace, again, tolerance)
  const boards = { recorded: trace.begin.board, replayed: board }
  process.stdout.write(json ? jsonOf(compared, boards, tolerance) : textOf(compared, boards))
  if (compared.differences.length > 0) process.exitCode = 1
}

interface Boards {
  readonly recorded: BoardName
  readonly replayed: BoardName
}

function textOf({ differences, events, clips, segments }: Compared, { recorded, replayed }: Boards): string {
  const what = `${clips} clips, ${segments} segments, ${events} events, from ${recorded} to ${replayed}`
  if (differences.length === 0) return `the same: ${what}\n`
  const lines = differences.slice(0, LINES_MAX).map(differenceLine)
  const more = differences.length - lines.length
  if (more > 0) lines.push(`and ${more} more; --json has them all`)
  return `${lines.join("\n")}\n${differences.length} differences: ${what}\n`
}

/** Shape: obscura.twin.v1 { recorded, replayed, tolerance, same, events, clips, segments, differences: [{ what, where, expected, got }] }. */
function jsonOf(compared: Compared, boards: Boards, tolerance: Milliseconds): string {
  const same = compared.differences.length === 0
  return `${JSON.stringify({ schema: "obscura.twin.v1", ...boards, tolerance, same, ...compared }, null, 2)}\n`
}

async function recipientOf({ key, recipient }: RecordCommand): Promise<Recipient> {
  if (recipient !== undefined) return recipientNamed(recipient)
  if (key === undefined)
    throw new Fault("usage", "for whom is the trace? give --key FILE, of age-keygen, or --recipient age1…")
  const { readKeyFile } = await import("../twin/trace-file.ts")
  return (await readKeyFile(key)).recipient
}

/** By hand, for commander's own refusal repeats what it was given, and that may be a secret. */
function recipientNamed(text: string): Recipient {
  try {
    return parseRecipient(text)
  } catch (cause) {
    throw new Fault("usage", `--recipient: ${messageOf(cause)}`, { cause })
  }
}

function countsOf({ begin, records }: Trace): string {
  const clips = clipsOf(records).length
  return `${begin.duration / 1_000} s of the ${begin.board} board, ${records.filter(isInput).length} inputs, ${clips} clips`
}

function printEvent(event: TwinEvent): void {
  if (event.what === "line") say(`${(event.at / 1_000).toFixed(3).padStart(8)} s  ${event.text}`)
}

/** Of lens and pins themselves. */
function printLine(line: LogLine): void {
  const { event, ...fields } = line
  say(`${event}${"reason" in fields ? `: ${fields.reason}` : ""}`)
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}
