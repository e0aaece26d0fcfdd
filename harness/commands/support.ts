import { resolve } from "node:path"
import { Argument, Command, Option } from "commander"
import { publicKeyFromHex } from "../../firmware/control/keys.ts"
import { Fault } from "../../firmware/errors.ts"
import { openServices } from "../services/services.ts"
import { DeskDrawer } from "../services/staff/desk-drawer.ts"
import { ROLE_NAMES, type RoleName } from "../services/staff/roles.ts"
import { parseSupportCode } from "../services/support/code.ts"
import { grantedLook } from "../services/support/looking.ts"
import { lookRequest } from "../services/support/request.ts"
import { firstLine } from "./first-line.ts"
import { homeOption, homePaths, parsedBy, wholeNumber } from "./options.ts"
import { type ContactOptions, inContact, withContact } from "./owner-contact.ts"
import { type ShowOptions, showLive, sinkFor } from "./show-live.ts"

export interface StaffOptions {
  readonly home: string
  readonly state: string
}

interface AskOptions extends StaffOptions {
  readonly name: string
  readonly code?: string
  readonly reason: string
  readonly totp: string
  readonly minutes: number
}

interface ViewOptions extends StaffOptions, ContactOptions, ShowOptions {
  readonly seconds?: number
}

const HELP = `
Nobody here opens anything. Somebody with a role, a second factor and a reason asks; the owner, who gave them a support
code ("obscura owner answer --new-code"), lets them look at one camera for minutes, or does not. No list says which
customer has which camera, and there is no other way in.

Exit codes: 0 done; 1 refused, or no answer yet; 2 wrong call.`

export function supportCommand(): Command {
  return new Command("support")
    .description("staff ask an owner to be let in to look, and look if the owner says yes")
    .addHelpText("after", HELP)
    .addCommand(askCommand())
    .addCommand(viewCommand())
    .addCommand(staffCommand())
}

/** For everybody who works here, in whichever service. */
export function atDesk(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(homeOption())
    .option("--state <dir>", "what this person keeps on their own machine: their key", "obscura-staff")
}

function askCommand(): Command {
  return atDesk("ask", "ask an owner for a look at one camera, which they choose")
    .requiredOption("--name <name>", "who asks, as the staff list has it")
    .option("--code <code>", "the support code that the owner gave you; without it, from standard input")
    .requiredOption(
      "--reason <text>",
      "why: one line, new each time, without an e-mail address; the owner reads it",
    )
    .requiredOption("--totp <code>", "six digits of your second factor")
    .addOption(new Option("--minutes <n>", "for how long you ask").argParser(wholeNumber(1, 10)).default(5))
    .action(async (options: AskOptions) => {
      const { support } = openServices(homePaths(options.home).cloud)
      const drawer = new DeskDrawer(resolve(options.state))
      const code = await parseSupportCode(options.code ?? (await firstLine("the support code")))
      const { viewer, keep } = drawer.newViewer()
      const asking = { name: options.name, staff: await drawer.key(), reason: options.reason }
      const { request, envelope } = lookRequest({ ...asking, code, viewer, seconds: options.minutes * 60 })
      await support.ask(envelope, options.totp)
      await keep(request, code.text)
      console.log(`request ${request}`)
      console.error('asked; the owner sees it with "obscura owner answer"')
    })
}

function viewCommand(): Command {
  const command = atDesk("view", "look, if the owner has said yes: --play it, or keep it as a film")
    .addArgument(new Argument("<request>", "as ask printed it, or its beginning"))
    .addOption(new Option("--play", "show it with ffplay or mpv").conflicts("out"))
    .option("--out <file>", "write it as fragmented MP4; - is standard output")
    .addOption(new Option("--seconds <n>", "stop after so many").argParser(wholeNumber(1, 600)))
  return withContact(command, 40).action(async (beginning: string, options: ViewOptions) => {
    const { support } = openServices(homePaths(options.home).cloud)
    const drawer = new DeskDrawer(resolve(options.state))
    const ask = await drawer.ask(beginning)
    const granted = await grantedLook(ask, support.boxes)
    if (granted === null) throw new Fault("unavailable", "the owner has not answered yet")
    const sink = await sinkFor(options)
    const { camera } = granted
    const whose = { camera, viewer: ask.viewer, role: "viewer", grant: async () => granted } as const
    try {
      await inContact(options, (contact) => showLive(whose, contact, sink, options.seconds))
    } finally {
      await sink.close()
    }
  })
}

function staffCommand(): Command {
  const list = (options: StaffOptions) => openServices(homePaths(options.home).cloud).staff
  const name = () => new Argument("<name>")
  return new Command("staff")
    .description("who works here: roles, keys and second factors")
    .addCommand(
      atDesk("key", "this person's public key, for the staff list; made at the first call").action(
        async ({ state }: StaffOptions) => console.log((await new DeskDrawer(resolve(state)).key()).hex),
      ),
    )
    .addCommand(
      atDesk("add", "put somebody on the staff; without a second factor they ask for nothing")
        .addArgument(name())
        .addOption(new Option("--role <role>").choices(ROLE_NAMES).makeOptionMandatory())
        .requiredOption(
          "--key <key>",
          'their public key: "obscura support staff key"',
          parsedBy(publicKeyFromHex),
        )
        .action(
          async (
            who: string,
            options: StaffOptions & { role: RoleName; key: ReturnType<typeof publicKeyFromHex> },
          ) => list(options).add(who, options.role, options.key),
        ),
    )
    .addCommand(
      atDesk("factor", "a new second factor, as authenticator apps read it. Secret, and shown once")
        .addArgument(name())
        .action(async (who: string, options: StaffOptions) => console.log(await list(options).enrol(who))),
    )
    .addCommand(
      atDesk("remove", "take somebody off the staff")
        .addArgument(name())
        .action((who: string, options: StaffOptions) => list(options).remove(who)),
    )
    .addCommand(
      atDesk("list", "who there is").action(async (options: StaffOptions) => {
        const staff = await list(options).list()
        for (const each of staff)
          console.log(`${each.name}  ${each.role}  ${each.secondFactor ? "" : "no "}second factor`)
        if (staff.length === 0) console.log("nobody works here yet")
      }),
    )
}
