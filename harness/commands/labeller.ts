import { resolve } from "node:path"
import { Argument, Command, Option } from "commander"
import { Fault } from "../../firmware/errors.ts"
import { PURPOSES, type Purpose } from "../services/labelling/consent.ts"
import { type Item, LABELS, type Label } from "../services/labelling/ledger.ts"
import type { CropArea, Workplace } from "../services/labelling/workplace.ts"
import { parseArea } from "../services/offering/edited-film.ts"
import { openServices } from "../services/services.ts"
import { DeskDrawer } from "../services/staff/desk-drawer.ts"
import { loginRequest } from "../services/staff/sessions.ts"
import { fileSink, playerSink } from "./live-sink.ts"
import { homePaths, parsedBy } from "./options.ts"
import { atDesk, type StaffOptions } from "./support.ts"

const HELP = `
Here lies what owners have consented to, and nothing else: each clip as a new object that names no owner and no camera.
What is withdrawn or over is gone with all that was made of it, before the next command does anything. Every clip that is
opened, labelled or exported is recorded where its owner reads it.

Exit codes: 0 done; 1 refused; 2 wrong call.`

export function labellerCommand(): Command {
  return new Command("labeller")
    .description("label the clips that owners have consented to, and keep account of what is made of them")
    .addHelpText("after", HELP)
    .addCommand(loginCommand())
    .addCommand(
      atDesk("queue", "what is consented to, and its labels so far").action((options: StaffOptions) =>
        atWork(options, async (workplace, token) => {
          const items = await workplace.queue(token)
          for (const item of items) console.log(inWords(item))
          if (items.length === 0) console.log("the queue is empty")
        }),
      ),
    )
    .addCommand(openCommand())
    .addCommand(labelCommand())
    .addCommand(exportCommand())
    .addCommand(modelCommand())
    .addCommand(
      atDesk("models", "every model with how much it was made of, and those that must go").action(
        (options: StaffOptions) =>
          atWork(options, async (workplace, token) => {
            const { models, recalled } = await workplace.models(token)
            for (const { name, dataset, objects } of models)
              console.log(`${name}  of data set ${dataset}, ${objects.length} clips`)
            for (const name of recalled) console.log(`${name}  must go: a consent that it needs has ended`)
          }),
      ),
    )
}

function loginCommand(): Command {
  return atDesk("login", "show both factors, once for an hour")
    .requiredOption("--name <name>", "as the staff list has it")
    .requiredOption("--totp <code>", "six digits of your second factor")
    .action(async ({ home, state, name, totp }: StaffOptions & { name: string; totp: string }) => {
      const drawer = new DeskDrawer(resolve(state))
      const login = loginRequest(name, await drawer.key())
      await drawer.keepSession(await openServices(homePaths(home).cloud).sessions.begin(login, totp))
      console.log("logged in, for an hour")
    })
}

function openCommand(): Command {
  return atDesk("open", "look at one clip")
    .addArgument(clip())
    .addOption(new Option("--play", "show it with ffplay or mpv").conflicts("out"))
    .option("--out <file>", "write it as MP4; - is standard output")
    .action((object: string, options: StaffOptions & { play?: boolean; out?: string }) =>
      atWork(options, async (workplace, token) => {
        const { play, out } = options
        if (!play && out === undefined) throw new Fault("usage", "open: --play shows it, --out FILE keeps it")
        const film = await workplace.open(token, await named(object, workplace, token))
        const sink = out === undefined ? await playerSink() : await fileSink(out)
        try {
          await sink.write(film)
        } finally {
          await sink.close()
        }
      }),
    )
}

function labelCommand(): Command {
  return atDesk("label", "say what is in a clip")
    .addArgument(clip())
    .addArgument(new Argument("<label>").choices(LABELS))
    .option(
      "--crop <x,y,w,h>",
      "where in the picture; that picture, whole, is kept as one of its own",
      parsedBy(parseArea),
    )
    .option("--second <s>", "which picture: the first key frame from there", Number, 0)
    .action(
      (
        object: string,
        label: Label,
        options: StaffOptions & { crop?: Omit<CropArea, "second">; second: number },
      ) =>
        atWork(options, async (workplace, token) => {
          if (!(options.second >= 0))
            throw new Fault("usage", "--second: seconds from the beginning are wanted")
          const area = options.crop ? { ...options.crop, second: options.second } : null
          await workplace.label(token, await named(object, workplace, token), label, area)
        }),
    )
}

function exportCommand(): Command {
  return atDesk("export", "make a data set of all that is labelled for a purpose")
    .addArgument(new Argument("<name>", "of the data set; one of that name is made anew"))
    .addOption(new Option("--purpose <purpose>").choices(PURPOSES).makeOptionMandatory())
    .action((name: string, options: StaffOptions & { purpose: Purpose }) =>
      atWork(options, async (workplace, token) => {
        const { rows } = await workplace.export(token, name, options.purpose)
        console.log(
          `data set ${name}: ${rows.length} rows of ${new Set(rows.map(({ object }) => object)).size} clips`,
        )
      }),
    )
}

function modelCommand(): Command {
  return atDesk("model", "list a model with what it was made of")
    .addArgument(new Argument("<name>"))
    .requiredOption("--dataset <name>", "that it was made of")
    .option("--base <model>", "that it was made from: what that one was made of counts, too")
    .action((name: string, options: StaffOptions & { dataset: string; base?: string }) =>
      atWork(options, (workplace, token) =>
        workplace.addModel(token, name, { dataset: options.dataset, base: options.base ?? null }),
      ),
    )
}

const clip = (): Argument => new Argument("<clip>", "as queue shows it, or the beginning of it")

async function atWork(
  { home, state }: StaffOptions,
  task: (workplace: Workplace, token: string) => Promise<void>,
): Promise<void> {
  const token = await new DeskDrawer(resolve(state)).session()
  await task(openServices(homePaths(home).cloud).labelling.workplace, token)
}

/** A whole id is asked for as it is: what is not consented any more is refused, and noted. */
async function named(beginning: string, workplace: Workplace, token: string): Promise<string> {
  if (/^[0-9a-f]{32}$/.test(beginning)) return beginning
  const found = (await workplace.queue(token)).filter(({ object }) => object.startsWith(beginning))
  const [only] = found
  if (only && found.length === 1) return only.object
  throw new Fault(
    "usage",
    `${found.length || "no"} clips in the queue begin with ${JSON.stringify(beginning.slice(0, 40))}`,
  )
}

function inWords({ object, consent, labels }: Item): string {
  const until = new Date(consent.expires).toISOString().slice(0, 10)
  const said = labels.map(({ label }) => label).join(", ") || "no label yet"
  return `${object}  to ${consent.purpose}, until ${until}  ${said}`
}
