import { Argument, Command, Option } from "commander"
import { Accounts, PLANS, type Plan } from "../cloud/index/accounts.ts"
import { IndexDatabase } from "../cloud/index/database.ts"
import { parseIndexPlace } from "../cloud/index/place.ts"
import { indexOption } from "./options.ts"

interface AccountOptions {
  readonly index: string
  readonly plan: Plan
}

const HELP = `
An account knows no camera, and no camera an account: what starts from an e-mail ends in that account's inbox, and only
the customer's app puts the two together. So there is no command that shows an account's cameras, and none can be written.`

export function accountCommand(): Command {
  return new Command("account")
    .description(
      "customers by their e-mail: accounts, plans, and the inbox in which messages to them are left",
    )
    .addHelpText("after", HELP)
    .addCommand(
      command("create", "make an account, and print its inbox")
        .addArgument(email())
        .addOption(planOption().default("basic"))
        .action((name: string, options: AccountOptions) =>
          withAccounts(options, async (accounts) => {
            const { inbox } = await accounts.create(name, options.plan)
            console.log(`inbox ${inbox}`)
          }),
        ),
    )
    .addCommand(
      command("show", "plan, inbox, and since when")
        .addArgument(email())
        .action((name: string, options: AccountOptions) =>
          withAccounts(options, async (accounts) => {
            const { plan, inbox, since } = await accounts.find(name)
            console.log(`plan ${plan}, since ${since}, inbox ${inbox}`)
          }),
        ),
    )
    .addCommand(
      command("plan", "change the plan; quota and retention are the same for all")
        .addArgument(email())
        .addArgument(new Argument("<plan>").choices(PLANS))
        .action((name: string, plan: Plan, options: AccountOptions) =>
          withAccounts(options, (accounts) => accounts.setPlan(name, plan)),
        ),
    )
    .addCommand(
      command("message", "leave a message in the account's inbox")
        .addArgument(email())
        .addArgument(new Argument("<text>"))
        .action((name: string, text: string, options: AccountOptions) =>
          withAccounts(options, (accounts) => accounts.leave(name, text)),
        ),
    )
    .addCommand(
      command("inbox", "what lies in an inbox, as the customer's app fetches it")
        .addArgument(new Argument("<inbox>"))
        .action((inbox: string, options: AccountOptions) =>
          withAccounts(options, async (accounts) => {
            for (const { sent, text } of await accounts.inbox(inbox))
              console.log(`${new Date(sent).toISOString()}  ${text.replace(/\p{Cc}/gu, " ")}`)
          }),
        ),
    )
    .addCommand(
      command("delete", "remove the account and its inbox; clips are their owner's to delete")
        .addArgument(email())
        .action((name: string, options: AccountOptions) =>
          withAccounts(options, (accounts) => accounts.remove(name)),
        ),
    )
}

function command(name: string, description: string): Command {
  return new Command(name).description(description).addOption(indexOption().makeOptionMandatory())
}

const email = (): Argument => new Argument("<email>")
const planOption = (): Option => new Option("--plan <plan>", "what is paid for").choices(PLANS)

/** What it does is printed for who called; a log of it is whoever runs a service's, and has no field for an e-mail. */
async function withAccounts(
  { index }: AccountOptions,
  task: (accounts: Accounts) => Promise<void>,
): Promise<void> {
  const database = await IndexDatabase.open(parseIndexPlace(index))
  try {
    await task(new Accounts(database, { write: () => undefined }))
  } finally {
    await database.close()
  }
}
