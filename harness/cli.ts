import { Command, CommanderError } from "commander"
import { type FaultKind, isFault, messageOf } from "../firmware/errors.ts"

/** 0 held · 1 a promise was broken, or something refused or did not answer · 2 the call was wrong · 3 the harness itself. */
export const EXIT = { held: 0, broken: 1, usage: 2, harness: 3 } as const

/** Loaded when they are called: what one of them needs is no reason for the others to wait. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  fleet: async () => (await import("./commands/fleet.ts")).fleetCommand(),
  scenarios: async () => (await import("./commands/scenarios.ts")).scenariosCommand(),
  merge: async () => (await import("./commands/merge.ts")).mergeCommand(),
  compare: async () => (await import("./commands/compare.ts")).compareCommand(),
  camera: async () => (await import("./commands/camera.ts")).cameraCommand(),
  cloud: async () => (await import("./commands/cloud.ts")).cloudCommand(),
  account: async () => (await import("./commands/account.ts")).accountCommand(),
  owner: async () => (await import("./commands/owner.ts")).ownerCommand(),
  support: async () => (await import("./commands/support.ts")).supportCommand(),
  labeller: async () => (await import("./commands/labeller.ts")).labellerCommand(),
  neighbours: async () => (await import("./commands/neighbours.ts")).neighboursCommand(),
  bench: async () => (await import("./commands/bench.ts")).benchCommand(),
  incident: async () => (await import("./commands/incident.ts")).incidentCommand(),
  insider: async () => (await import("./commands/insider.ts")).insiderCommand(),
  price: async () => (await import("./commands/price.ts")).priceCommand(),
  package: async () => (await import("./commands/package.ts")).packageCommand(),
  flash: async () => (await import("./commands/flash.ts")).flashCommand(),
  twin: async () => (await import("./commands/twin.ts")).twinCommand(),
  evidence: async () => (await import("./commands/evidence.ts")).evidenceCommand(),
  fuzz: async () => (await import("./commands/fuzz.ts")).fuzzCommand(),
  mutants: async () => (await import("./commands/mutants.ts")).mutantsCommand(),
  model: async () => (await import("./commands/model.ts")).modelCommand(),
  recognise: async () => (await import("./commands/recognise.ts")).recogniseCommand(),
  witness: async () => (await import("./commands/witness.ts")).witnessCommand(),
}

const LEARN_MORE = `
Three first runs:
  obscura fleet                     200 virtual cameras for 30 seconds, judged
  obscura scenarios                 what else a fleet can live through
  obscura camera                    one virtual camera, with keys to play the visitor
  obscura owner list                what that camera recorded, as its owner sees it

Exit codes: 0 held; 1 a promise was broken, or something refused or did not answer; 2 wrong call; 3 the harness itself.`

/** The program `obscura`: its exit code is left in `process.exitCode`. */
export async function main(argv: readonly string[]): Promise<void> {
  // Whoever reads our output may have seen enough, as `head` does.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.held)
    throw error
  })
  process.exitCode = await run(argv)
}

/** One call, which prints as the program does. Resolves with its exit code: never rejects. */
export async function run(argv: readonly string[]): Promise<number> {
  const program = new Command("obscura")
    .description("Cameras whose makers cannot look: run them, load them, open what is yours.")
    .version("0.1.0")
    .addHelpText("after", LEARN_MORE)
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) })
    .showSuggestionAfterError()
    .exitOverride()
  const called = COMMANDS[argv[2] ?? ""]
  try {
    for (const load of called ? [called] : Object.values(COMMANDS))
      program.addCommand(inherit(await load(), program))
    await program.parseAsync([...argv])
    return Number(process.exitCode ?? EXIT.held)
  } catch (error) {
    return report(error)
  }
}

const WRONG_CALL: ReadonlySet<FaultKind> = new Set(["usage", "unpaired", "malformed", "unsupported"])

/** A person's mistake is one line that says what to do; a stack trace is for our own. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.held : EXIT.usage
  if (!isFault(error) || error.kind === "broken") {
    console.error(error)
    console.error("obscura: this is a mistake of obscura's own; the lines above belong in a bug report")
    return EXIT.harness
  }
  console.error(`obscura: ${messageOf(error)}`)
  return WRONG_CALL.has(error.kind) ? EXIT.usage : EXIT.broken
}

/** Commander puts its suggestion on a line of its own. */
function oneLine(text: string): string {
  return text.replace(/^error: /, "obscura: ").replace(/\n(?=\()/g, " ")
}

/** Sub-commands do not inherit these from a program they are added to. */
function inherit(command: Command, program: Command): Command {
  command.copyInheritedSettings(program)
  for (const each of command.commands) inherit(each, program)
  return command
}
