import { writeFile } from "node:fs/promises"
import { Command, CommanderError, Option } from "commander"
import { Fault, type FaultKind, isFault, messageOf } from "../../firmware/errors.ts"
import { filesIn, modelsIn, programFolder } from "../detector/beside.ts"
import { modelCommand } from "../detector/model-command.ts"
import { readModel } from "../model.ts"
import { selfTestCommand } from "../selftest/command.ts"
import { readSettings } from "../settings.ts"
import { wiringPicture } from "../wiring/picture.ts"
import { formFor, type LineForm } from "./log-lines.ts"
import { ignoreDebuggerSignal } from "./no-debugger.ts"
import { pair } from "./pair.ts"
import { modelsOf, type Paths, refuseWrongUser, withPaths } from "./paths.ts"
import { run } from "./run.ts"
import { shim } from "./shim.ts"
import { statusReport } from "./status.ts"
import { statusText } from "./status-text.ts"
import { VERSION } from "./version.ts"

/** 0 done · 1 something does not answer or failed: the service starts it again · 2 the call or the settings are wrong. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const

const LEARN_MORE = `
Exit codes: 0 done; 1 something failed, or does not answer; 2 the call or the settings are wrong.
The camera opens no port, and no option, setting or port of it turns sealing off.`

/** `obscura-camera`: resolves with the exit code, and never rejects. */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  ignoreDebuggerSignal()
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // Whoever reads our output may have seen enough, as `head` does.
    if (error.code === "EPIPE") process.exit(EXIT.done)
    throw error
  })
  const program = obscuraCamera(env)
  try {
    await program.parseAsync([...argv])
    return EXIT.done
  } catch (error) {
    return report(error)
  }
}

/** The whole command line: every word and option that ships. */
export function obscuraCamera(env: NodeJS.ProcessEnv): Command {
  const program = new Command("obscura-camera")
    .description("A camera whose makers cannot look, on a Raspberry Pi.")
    .version(VERSION)
    .addHelpText("after", LEARN_MORE)
  for (const command of commands(env)) program.addCommand(command)
  for (const command of withBelow(program))
    command
      .configureOutput({ outputError: (text, write) => write(oneLine(text)) })
      .showSuggestionAfterError()
      .exitOverride()
  return program
}

function withBelow(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withBelow)]
}

function commands(env: NodeJS.ProcessEnv): Command[] {
  return [
    withPaths(new Command("run"))
      .description("run the camera until SIGTERM: what its service does")
      .addOption(new Option("--pretty", "log lines for people; else JSON, with journald's priorities there"))
      .action((options: Paths & { readonly pretty?: boolean }) => {
        const form: LineForm = options.pretty ? "people" : formFor(env)
        return run(options, env, form)
      }),
    withPaths(new Command("pair"))
      .description("pair a new camera with its owner: a press of its button, then a QR code before its lens")
      .option(
        "--setup <where>",
        "- reads the setup text from standard input instead; the button is pressed all the same",
      )
      .action((options: Paths & { readonly setup?: string }) =>
        pair(options, env, options.setup, (text) => console.log(text)),
      ),
    withPaths(new Command("status"))
      .description("what the camera does; or, when it does not run, what it left")
      .option("--json", "for machines")
      .action(async (options: Paths & { readonly json?: boolean }) => {
        const report = await statusReport(options, env)
        console.log(options.json ? JSON.stringify(report, null, 2) : statusText(report))
      }),
    selfTestCommand(env),
    modelCommand<Paths>({
      withPlace: withPaths,
      folderOf: async (paths) => {
        await refuseWrongUser(paths)
        return modelsOf(paths)
      },
      otherFolders: [modelsIn(programFolder())],
      threads: filesIn(programFolder()),
      print: (line) => console.log(line),
    }),
    new Command("shim")
      .description(
        "install an executable where the raspicam package looks for raspivid, that runs rpicam-vid",
      )
      .option("--at <path>", "where", "/opt/vc/bin/raspivid")
      .action(async ({ at }: { readonly at: string }) => console.log(await shim(at))),
    withPaths(new Command("wiring"))
      .description("draw which wire goes where, as SVG, by this camera's settings")
      .option("--out <file>", "write it there instead of to standard output")
      .action(async (options: Paths & { readonly out?: string }) => {
        const { camera } = await readSettings(options.settings, await readModel())
        const picture = wiringPicture(camera.pins)
        if (options.out === undefined) process.stdout.write(picture)
        else await writeOut(options.out, picture)
      }),
  ]
}

async function writeOut(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text)
  } catch (cause) {
    throw new Fault("usage", `--out ${file}: cannot be written (${messageOf(cause)})`, { cause })
  }
}

const WRONG_CALL: ReadonlySet<FaultKind> = new Set(["usage", "unpaired", "malformed", "unsupported"])

/** A person's mistake is one line that says what to do; a stack trace is for our own. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
  if (!isFault(error) || error.kind === "broken") {
    console.error(error)
    return EXIT.failed
  }
  console.error(`obscura-camera: ${messageOf(error).replaceAll("\n", " ")}`)
  return WRONG_CALL.has(error.kind) ? EXIT.usage : EXIT.failed
}

/** Commander puts its suggestion on a line of its own. */
function oneLine(text: string): string {
  return text.replace(/^error: /, "obscura-camera: ").replace(/\n(?=\()/g, " ")
}
