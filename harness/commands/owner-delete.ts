import { Argument, type Command, InvalidArgumentError } from "commander"
import { publicKeyFromHex } from "../../firmware/control/keys.ts"
import { Fault } from "../../firmware/errors.ts"
import type { UnixMilliseconds } from "../../firmware/units.ts"
import { ask } from "../owner/command.ts"
import {
  type Claim,
  DeletionBook,
  deleteQuestion,
  deleteRequest,
  type Wish,
  wishesFor,
} from "../owner/deletion.ts"
import type { OwnerKeys } from "../owner/keys.ts"
import { hasLeft, summaryOf, type VaultClip } from "../owner/vault.ts"
import { homePaths } from "./options.ts"
import { type Contact, type ContactOptions, inContact, withContact } from "./owner-contact.ts"
import { look, openHousehold, type SeenCamera, type VaultOptions, vaultCommand } from "./owner-vault.ts"

interface DeleteOptions extends VaultOptions, ContactOptions {
  readonly before?: UnixMilliseconds
  readonly all?: boolean
  readonly yes?: boolean
}

const HELP = `
Without --yes it only says what it would delete. The cloud writes over every copy that it knows of and signs for it; the
statement is kept in the owner's folder. It is a claim: nobody can prove that there is no other copy. What a camera still
holds stays there until it needs the room, and is not taken in again.

Exit codes: 0 the cloud has signed for all of it; 1 it did not answer, or still shows some; 2 wrong call.`

export function ownerDeleteCommand(): Command {
  const command = vaultCommand("delete", "delete clips from the cloud for good, with its signature under it")
    .addArgument(new Argument("[clip...]", "ids of clips, or beginnings of them"))
    .option("--before <date>", "clips that were recorded before this day, 2026-07-31, or time", parseDate)
    .option("--all", "everything the cloud has of every camera, also what it does not show")
    .option("--yes", "do it")
    .addHelpText("after", HELP)
  return withContact(command).action(remove)
}

function parseDate(text: string): UnixMilliseconds {
  const at = Date.parse(text)
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(at))
    throw new InvalidArgumentError("a date is wanted, as 2026-07-31 or 2026-07-31T12:00.")
  return at
}

async function remove(clips: readonly string[], options: DeleteOptions): Promise<void> {
  const ways = [clips.length > 0, options.before !== undefined, options.all === true].filter(Boolean)
  if (ways.length !== 1) throw new Fault("usage", "delete: name clips, or say --before DATE, or --all")
  const { household } = await openHousehold(options)
  const cameras = await look(options, household)
  const wishes = await wishesOf(cameras, clips, options)
  if (wishes.length === 0) return console.log("nothing to delete")
  if (!options.yes) {
    for (const wish of wishes) console.log(`would delete ${inWords(wish)}`)
    return console.log("nothing was deleted; --yes does it")
  }
  const book = new DeletionBook(homePaths(options.home).owner)
  const done = await inContact(options, (contact) => askAll(wishes, household.keys, book, contact))
  const still = stillShown(await look(options, household), wishes)
  if (done && still > 0)
    console.error(`obscura: the cloud signed for it and still shows ${still} objects; keep its statement`)
  if (!done || still > 0) process.exitCode = 1
}

async function wishesOf(
  cameras: readonly SeenCamera[],
  named: readonly string[],
  { before, all }: DeleteOptions,
): Promise<readonly Wish[]> {
  if (all)
    return cameras.map(({ key, view }) => ({
      device: key.id,
      what: { everything: true },
      clips: [],
      objects: view.clips.flatMap(idsHere),
    }))
  const unseen = new Set(named)
  const wishes: Wish[] = []
  for (const { key, vault, view } of cameras) {
    const wanted = new Map<string, readonly string[]>()
    let undated = 0
    for (const clip of view.clips) {
      const asked = named.filter((each) => clip.clip.startsWith(each))
      for (const each of asked) unseen.delete(each)
      if (hasLeft(clip)) continue
      const summary = before !== undefined && clip.summary?.fate === "received" ? clip.summary : null
      if (before !== undefined && summary === null) undated++
      const at = summary && (await summaryOf(vault, summary)).startedAt.at
      if (asked.length > 0 || (at !== null && before !== undefined && at < before))
        wanted.set(clip.clip, idsHere(clip))
    }
    if (undated > 0)
      console.error(`camera ${key.id}: ${undated} clips without a time stay; name them, or use --all`)
    wishes.push(...wishesFor(key.id, wanted))
  }
  if (unseen.size > 0)
    throw new Fault("usage", `no clip begins with ${[...unseen].join(", ")}; "obscura owner list" shows them`)
  return wishes
}

function idsHere({ segments, thumbnail, summary }: VaultClip): readonly string[] {
  return [...segments, thumbnail, summary].flatMap((object) =>
    object?.fate === "received" ? [object.entry.id] : [],
  )
}

/** false: not all of it was answered. */
async function askAll(
  wishes: readonly Wish[],
  keys: OwnerKeys,
  book: DeletionBook,
  { cloud, broker, parts, config, until, within, signal }: Contact,
): Promise<boolean> {
  const receiptKey = publicKeyFromHex(cloud.receiptKey)
  let all = true
  for (const wish of wishes) {
    const owner = keys.signingKeyFor(wish.device)
    const request = deleteRequest(wish, owner)
    const question = deleteQuestion(wish.device, request, receiptKey)
    const claim: Claim | null = await ask(question, owner, broker, parts, config, until())
    if (signal.aborted) return false
    if (claim === null) {
      console.error(
        `obscura: the cloud has not signed within ${within / 1_000} s for ${inWords(wish)}; ask again later`,
      )
      all = false
      continue
    }
    await book.keep(wish, request, claim)
    const at = new Date(claim.body.at).toISOString()
    console.log(
      `camera ${wish.device}: the cloud signed that ${claim.body.objects} objects are gone since ${at}`,
    )
  }
  return all
}

function stillShown(cameras: readonly SeenCamera[], wishes: readonly Wish[]): number {
  const gone = new Set(wishes.flatMap(({ objects }) => objects))
  return cameras.flatMap(({ view }) => view.clips.flatMap(idsHere)).filter((id) => gone.has(id)).length
}

function inWords({ device, what, clips, objects }: Wish): string {
  const which = "everything" in what ? "everything" : `${clips.length} clips`
  return `${which} of camera ${device}, ${objects.length} objects`
}
