import { Command } from "commander"
import { Fault } from "../../firmware/errors.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import { processClock } from "../clock.ts"
import { type Label, label, writeLabel } from "../label/label.ts"
import { makeFolder } from "../make-folder.ts"
import { type PiModel, readModel } from "../model.ts"
import { refuseDebugger } from "../program/no-debugger.ts"
import { type Paths, refuseWrongUser, withPaths } from "../program/paths.ts"
import { stopOnSignals } from "../program/stop.ts"
import { readSettings } from "../settings.ts"
import { boardFacts, isSerial } from "./board-facts.ts"
import type { CheckResult } from "./check.ts"
import { deviceOf } from "./checks/key.ts"
import { type OpenWorld, openWorld } from "./open-world.ts"
import { type BoardFacts, type SelfTestRecord, verdictOf } from "./record.ts"
import { Report } from "./report.ts"
import { keepRecord, readSeen, refuseUnwritable } from "./seen.ts"
import { selfTest } from "./self-test.ts"
import { TerminalOperator } from "./terminal-operator.ts"

interface Options extends Paths {
  readonly json?: boolean
  readonly operator: boolean
  readonly record?: string
  readonly seen?: string
  readonly serial?: string
  readonly label?: string
}

const CLOSE_WITHIN: Milliseconds = seconds(10)

const LEARN_MORE = `
Verdict: pass; fail, if a check failed; incomplete, if none failed but one of key, disk, free space, lens, frame rate,
bitrate, picture, frozen and crypto was skipped. Exit codes: 0 pass; 1 fail or incomplete; 2 the call or the settings are wrong.
Stop the service first: sudo systemctl stop obscura-camera. Run it as the service's user: sudo -u obscura.
Answers (y or n, each after its question) come from standard input.
A label is made for a board that passes, and holds no secret: number and device id.
Pictures are looked at in memory and are never written, sent or kept.`

/** `obscura-camera selftest`. Its failure is a Fault "unavailable", which the program makes exit code 1. */
export function selfTestCommand(env: NodeJS.ProcessEnv): Command {
  return withPaths(new Command("selftest"))
    .description(
      "look at this board for a jig: lens, lights, button, sensor, disk, speed, clock, network, key, power",
    )
    .option("--json", "the record on standard output, one line; progress goes to standard error")
    .option("--no-operator", "nobody is there to look, press and move: what needs somebody is skipped")
    .option("--record <file>", "add the record to this file, one line a board")
    .option("--seen <file>", "records of earlier boards: fails on a key that another board has")
    .option("--serial <text>", "the board's number, where it does not know its own")
    .option("--label <dir>", "write a QR label of a board that passes there, as SVG, and show it")
    .addHelpText("after", LEARN_MORE)
    .action((options: Options) => run(options, env))
}

async function run(options: Options, env: NodeJS.ProcessEnv): Promise<void> {
  const { record: recordFile, serial = null } = options
  if (serial !== null && !isSerial(serial))
    throw new Fault("usage", "--serial takes letters, digits, dots, dashes and underscores, 64 at most")
  refuseDebugger()
  await refuseWrongUser(options)
  const model = await readModel()
  const settings = await readSettings(options.settings, model)
  const seen = options.seen === undefined ? [] : await readSeen(options.seen, recordFile)
  if (recordFile !== undefined) await refuseUnwritable(recordFile)
  if (options.label !== undefined) await makeFolder(options.label, 0o755)

  const stop = stopOnSignals()
  const world = await openWorld(settings, model, options, env)
  const closed = new AbortController()
  let record: SelfTestRecord
  const report = new Report(screenOf(options.json ? process.stderr : process.stdout, env))
  try {
    const board = await boardFacts(model, serial)
    report.heading(board)
    record = await judge(world, { board, seen, operator: options.operator }, report, stop.signal)
  } finally {
    // A card that died does not even close; this process ends, and with it whatever still waits.
    await Promise.race([world.close(), world.clock.sleep(CLOSE_WITHIN, closed.signal)])
    closed.abort()
    stop.forget()
  }
  report.end(record)
  if (options.json) process.stdout.write(`${JSON.stringify(record)}\n`)
  if (recordFile !== undefined) await keepRecord(recordFile, record)
  if (options.label !== undefined) await makeLabel(options.label, record, model, report)
  if (record.verdict !== "pass") throw new Fault("unavailable", `selftest: ${whyNot(record)}`)
}

async function judge(
  world: OpenWorld,
  about: { board: BoardFacts; seen: readonly SelfTestRecord[]; operator: boolean },
  report: Report,
  signal: AbortSignal,
): Promise<SelfTestRecord> {
  const operator = about.operator
    ? new TerminalOperator(process.stdin, processClock(), (text) => report.tell(text))
    : null
  const begunAt = new Date().toISOString()
  const checks: SelfTestRecord["checks"] = []
  const options = {
    ...about,
    operator,
    serial: about.board.serial,
    onBegin: (name: string) => report.begin(name),
  }
  try {
    for await (const result of selfTest(world, options, signal)) {
      report.result(result)
      checks.push(recorded(result))
    }
  } finally {
    operator?.close()
  }
  return {
    ...{ kind: "obscura self-test", version: 1, verdict: verdictOf(checks) },
    ...{ begunAt, endedAt: new Date().toISOString(), board: about.board },
    ...{ device: await deviceOf({ world }).catch(() => null), operator: about.operator, checks },
  }
}

function recorded({ duration, ...check }: CheckResult): SelfTestRecord["checks"][number] {
  return { ...check, seconds: Math.round(duration) / 1_000 }
}

async function makeLabel(
  folder: string,
  record: SelfTestRecord,
  model: PiModel,
  report: Report,
): Promise<void> {
  const { device, board, verdict } = record
  if (verdict !== "pass" || device === null) return report.note("no label: the self-test did not pass")
  const made: Label = label({ device, serial: board.serial, model: model.name })
  report.note(`${made.terminal}\n${await writeLabel(folder, device, made)}`)
}

function whyNot({ verdict, checks }: SelfTestRecord): string {
  const names = (kind: string) => checks.filter((check) => check.verdict === kind).map(({ name }) => name)
  if (verdict === "fail") return `failed: ${names("fail").join(", ")}`
  const missing = checks.filter((check) => check.mandatory && check.verdict === "skipped")
  return `incomplete, for these were skipped: ${missing.map(({ name }) => name).join(", ")}`
}

function screenOf(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv) {
  const columns = stream.isTTY ? stream.columns : 0
  return { write: (text: string) => stream.write(text), columns, colours: columns > 0 && !env.NO_COLOR }
}
