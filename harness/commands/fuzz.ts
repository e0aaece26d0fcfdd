import { Argument, Command, Option } from "commander"
import { Fault } from "../../firmware/errors.ts"
import { type FuzzSubject, fuzzSubjects, tryOnce } from "../checks/bad-input/fuzz.ts"
import { wholeNumber } from "./options.ts"
import { stopOnSignals } from "./stop.ts"

interface FuzzOptions {
  readonly seconds: number
  readonly seed?: number
  readonly run?: number
}

const HELP = `
Takes a valid message of each kind, changes it as wires, attackers and bad disks do (bits, cuts, doubled fields, other
encodings, parts of other messages, too many bytes), and gives it to all that read this kind in camera, cloud, owner's app
and services. Every one must be refused: none may be taken, and none may end a program.

KIND: a kind of signed message (manifest, heartbeat, grant…), or something else that is parsed (chunk, live-part,
sealed-object…); "obscura fuzz ?" lists them. Without one, all of them in turn.

Exit codes: 0 all was refused; 1 a flaw, with the line that repeats it; 2 wrong call.`

/** Looks at the clock so often. */
const RUNS_AT_ONCE = 50
const SEED_MAX = 2 ** 31

export function fuzzCommand(): Command {
  return new Command("fuzz")
    .description("messages of every kind, spoilt without end, to everybody who reads them")
    .addArgument(new Argument("[kind]", "one kind of message"))
    .addOption(new Option("--seconds <n>", "for how long").argParser(wholeNumber(1, 86_400)).default(20))
    .addOption(
      new Option("--seed <n>", "which runs; default: others each time").argParser(wholeNumber(0, SEED_MAX)),
    )
    .addOption(new Option("--run <n>", "this run alone").argParser(wholeNumber(0, Number.MAX_SAFE_INTEGER)))
    .addHelpText("after", HELP)
    .action(fuzz)
}

async function fuzz(kind: string | undefined, { seconds, seed, run }: FuzzOptions): Promise<void> {
  const which = seed ?? Math.floor(Math.random() * SEED_MAX)
  const all = await fuzzSubjects(which)
  const names = all.map(({ name }) => name).join(" ")
  if (kind === "?") {
    console.log(names)
    return
  }
  const subjects = kind === undefined ? all : all.filter(({ name }) => name === kind)
  if (subjects.length === 0) throw new Fault("usage", `${kind}: no such kind; there are ${names}`)
  if (run !== undefined) return report(await runs(subjects, which, run, run + 1), which, 1)
  const { signal, forget } = stopOnSignals()
  const end = performance.now() + seconds * 1_000
  let done = 0
  try {
    while (performance.now() < end && !signal.aborted) {
      const found = await runs(subjects, which, done, done + RUNS_AT_ONCE)
      done += RUNS_AT_ONCE
      if (found !== null) return report(found, which, done * subjects.length)
    }
  } finally {
    forget()
  }
  report(null, which, done * subjects.length)
}

interface Found {
  readonly subject: string
  readonly run: number
  readonly flaw: string
  readonly bytes: number
  readonly hash: string
}

/** The first flaw among these runs of each subject. */
async function runs(
  subjects: readonly FuzzSubject[],
  seed: number,
  from: number,
  to: number,
): Promise<Found | null> {
  for (const subject of subjects)
    for (let run = from; run < to; run++) {
      const { flaw, bytes, hash } = await tryOnce(subject, seed, run)
      if (flaw !== null) return { subject: subject.name, run, flaw, bytes, hash }
    }
  return null
}

function report(found: Found | null, seed: number, done: number): void {
  if (found === null) {
    console.log(`${done} runs, seed ${seed}: all refused`)
    return
  }
  const { subject, run, flaw, bytes, hash } = found
  console.log(`${subject}: ${flaw} (${bytes} bytes, SHA-256 ${hash.slice(0, 16)}…)`)
  console.log(`to repeat it: obscura fuzz ${subject} --seed ${seed} --run ${run}`)
  process.exitCode = 1
}
