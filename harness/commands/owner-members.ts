import { Argument, Command } from "commander"
import { parseRecipient } from "../../firmware/delivery/recipient.ts"
import { Fault } from "../../firmware/errors.ts"
import type { Household } from "../owner/household.ts"
import { isMember, withMember, withoutMember } from "../owner/household-book.ts"
import { withContact } from "./owner-contact.ts"
import { openHousehold, type VaultOptions, vaultCommand } from "./owner-vault.ts"
import { writePrivate } from "./private-file.ts"
import { changeBook, freshKey, HOUSEHOLD_HELP, type HouseholdOptions, settle } from "./settle-household.ts"

export function ownerMembersCommand(): Command {
  return new Command("members")
    .description("who else opens what the cameras record: list, add, remove, and the keys to hand out")
    .addCommand(
      vaultCommand("list", "members, and who was one").action(async (options: VaultOptions) =>
        describeMembers((await openHousehold(options)).household),
      ),
    )
    .addCommand(addCommand())
    .addCommand(removeCommand())
    .addCommand(keysCommand())
}

function addCommand(): Command {
  return withContact(vaultCommand("add", "make somebody a member, from the key in use on"))
    .addArgument(new Argument("<name>", "what you call them; no cloud hears it"))
    .addArgument(new Argument("<recipient>", "their public age key (age1…), as age-keygen prints it"))
    .addHelpText(
      "after",
      `${HOUSEHOLD_HELP}\n\nThey open what was sealed since the last rotation. To begin from now on, rotate first.`,
    )
    .action(async (name: string, recipient: string, options: HouseholdOptions) => {
      const open = await openHousehold(options)
      checkKind(open.household, recipient)
      await changeBook(open, withMember(open.household.book, { name, recipient }, Date.now()))
      console.log(`${name} is a member; "obscura owner members keys ${name}" has what they need`)
      await settle(open, options)
    })
}

function removeCommand(): Command {
  return withContact(vaultCommand("remove", "no longer seal for a member: a new key for everybody else"))
    .addArgument(new Argument("<name>", "as it was added"))
    .addHelpText("after", HOUSEHOLD_HELP)
    .action(async (name: string, options: HouseholdOptions) => {
      const open = await openHousehold(options)
      const { book } = open.household
      await changeBook(open, withoutMember(book, name, Date.now(), await freshKey(open.household)))
      console.log(`${name} keeps what they have; nothing that is sealed for the new key opens for them`)
      await settle(open, options, { endLooks: true })
    })
}

function keysCommand(): Command {
  return vaultCommand("keys", "the keys of a member, sealed for them alone")
    .addArgument(new Argument("<name>"))
    .option("--out <file>", "where to write them", "member.age")
    .addHelpText(
      "after",
      "\nThe member opens it once, and each clip with what is in it:\n  age -d -i their-key member.age > household-keys\n  age -d -i household-keys object.age",
    )
    .action(async (name: string, options: VaultOptions & { out: string }) => {
      const { household } = await openHousehold(options)
      const member = household.book.members.find((each) => isMember(each) && each.name === name)
      if (!member) throw new Fault("usage", `${name} is no member; "obscura owner members list" shows who is`)
      await writePrivate(options.out, await household.sealKeysFor(member))
      console.log(options.out)
    })
}

/** Whoever breaks a weaker member's key reads what the household sealed against a quantum computer. */
function checkKind({ keys }: Household, recipient: string): void {
  parseRecipient(recipient)
  if (keys.kind === "post-quantum" && !recipient.startsWith("age1pq1"))
    throw new Fault("usage", "this household is post-quantum: its members' keys have to be too (age1pq1…)")
}

export function describeMembers({ book }: Household): void {
  for (const { name, recipient, addedAt, from, until, removedAt } of book.members) {
    const keys = until === null ? `from key ${from} on` : `keys ${from} to ${until}`
    const times = `since ${day(addedAt)}${removedAt === null ? "" : `, removed ${day(removedAt)}`}`
    console.log(`${name}: ${times}, ${keys}, ${recipient}`)
  }
  if (book.members.length === 0) console.log("no members: the owner alone")
}

export const day = (at: number): string => new Date(at).toISOString().slice(0, 10)
