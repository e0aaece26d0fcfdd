import { type Command, Option } from "commander"
import { DAY } from "../owner/backup.ts"
import type { Household } from "../owner/household.ts"
import { type Book, keyInUse, withKey, withRetired } from "../owner/household-book.ts"
import { wholeNumber } from "./options.ts"
import { withContact } from "./owner-contact.ts"
import { day, describeMembers } from "./owner-members.ts"
import { openHousehold, vaultCommand } from "./owner-vault.ts"
import { changeBook, freshKey, HOUSEHOLD_HELP, type HouseholdOptions, settle } from "./settle-household.ts"

export function ownerHouseholdCommand(): Command {
  return withContact(
    vaultCommand(
      "household",
      "who is in it, and which key each camera seals for; finishes what is unfinished",
    ),
  )
    .option(
      "--retire <camera>",
      "a camera that was reset, given away or is broken: it is asked for nothing any more",
    )
    .addHelpText("after", HOUSEHOLD_HELP)
    .action(async (options: HouseholdOptions & { retire?: string }) => {
      const open = await openHousehold(options)
      if (options.retire !== undefined)
        await changeBook(open, withRetired(open.household.book, options.retire))
      describe(open.household)
      await settle(open, options)
    })
}

export function ownerRotateCommand(): Command {
  return withContact(
    vaultCommand(
      "rotate",
      "give the household a fresh random key; old clips go on opening with the old ones",
    ),
  )
    .addOption(
      new Option("--every <days>", "do so only where the key in use is older, as for a weekly job").argParser(
        wholeNumber(1, 3_650),
      ),
    )
    .addHelpText("after", HOUSEHOLD_HELP)
    .action(async (options: HouseholdOptions & { every?: number }) => {
      const open = await openHousehold(options)
      const since = open.household.book.keys.at(-1)?.since ?? 0
      if (options.every === undefined || Date.now() - since >= options.every * DAY)
        await changeBook(open, withKey(open.household.book, await freshKey(open.household), Date.now()))
      await settle(open, options)
    })
}

function describe(household: Household): void {
  const { book } = household
  console.log(`household key ${keyInUse(book)}${since(book)}`)
  for (const { device, epochs, confirmed, retired } of book.cameras) {
    const epoch = epochs.at(-1)?.epoch ?? 0
    const isOpen = epoch > 1 && confirmed < epoch
    const state = isOpen ? `asked for epoch ${epoch}, not confirmed` : `epoch ${epoch}`
    console.log(`camera ${device}: ${retired ? "retired" : state}`)
  }
  describeMembers(household)
}

const since = ({ keys }: Book): string =>
  keys.length === 0 ? ", from the root" : `, since ${day(keys.at(-1)?.since ?? 0)}`
