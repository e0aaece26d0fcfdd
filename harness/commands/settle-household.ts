import type { PublicKey } from "../../firmware/control/keys.ts"
import { Fault } from "../../firmware/errors.ts"
import { newHouseholdIdentity } from "../owner/age-identity.ts"
import { backUp, isBackedUp } from "../owner/backup.ts"
import { sendCommand } from "../owner/command.ts"
import type { OwnerFolder } from "../owner/folder.ts"
import { revocationOf } from "../owner/grants.ts"
import type { Household } from "../owner/household.ts"
import { type Book, withConfirmed, withLog } from "../owner/household-book.ts"
import { LogMemory } from "../owner/log-memory.ts"
import { type Asked, askToSealFor, type Known, withKeyForAll } from "../owner/rotation.ts"
import { homePaths } from "./options.ts"
import { type Contact, type ContactOptions, inContact } from "./owner-contact.ts"
import { look, type SeenCamera, type VaultOptions } from "./owner-vault.ts"

export type HouseholdOptions = VaultOptions & ContactOptions

export const HOUSEHOLD_HELP = `
A household has one key at a time, and every camera seals for that one. Whoever goes takes along what they had: a removal
is a new key, which the others get with "obscura owner members keys". It counts for a camera once a signed heartbeat of
it says so; what it had sealed before keeps its old key, and "obscura owner verify" names it.

Exit codes: 0 every camera has confirmed; 1 one has not (run "obscura owner household" again); 2 wrong call.`

export interface OpenHousehold {
  readonly folder: OwnerFolder
  household: Household
}

export async function changeBook(open: OpenHousehold, book: Book): Promise<void> {
  open.household = await open.folder.keepBook(book, open.household.keys)
}

export async function freshKey({ keys }: Household): Promise<string> {
  return (await newHouseholdIdentity(keys.kind)).secretText
}

/**
 * Signs every camera over to the key in use, lets the cloud sign for the book, and only then asks the cameras: a key
 * that only this folder knew would be lost with it, and with it every clip that was sealed for it. With `endLooks` every
 * live view that was lent ends before all that.
 */
export async function settle(
  open: OpenHousehold,
  options: HouseholdOptions,
  { endLooks = false } = {},
): Promise<void> {
  await keepPins(open, new LogMemory(homePaths(options.home).owner))
  const cameras = open.household.book.cameras.length === 0 ? [] : await look(options, open.household)
  const known = cameras.map(({ key, view, epoch }): Known => ({ device: key.id, newest: view.newest, epoch }))
  const signed = withKeyForAll(open.household.book, known, Date.now())
  if (signed !== open.household.book) await changeBook(open, signed)
  await inContact(options, async (contact) => {
    if (endLooks) await Promise.all(cameras.map(({ key }) => endLooksAt(key, open.household, contact)))
    await backUpNow(open, contact)
    let all = true
    for (const camera of cameras) all = (await askCamera(open, camera, contact)) && all
    await backUpNow(open, contact)
    if (!all) process.exitCode = 1
  })
}

/** A book that was begun before it had the logs' keys gets them. */
async function keepPins(open: OpenHousehold, memory: LogMemory): Promise<void> {
  for (const { device, log } of open.household.book.cameras) {
    const pinned = log ? null : await memory.pinned(device)
    if (pinned)
      await changeBook(
        open,
        withLog(open.household.book, device, { origin: pinned.origin, key: pinned.key.hex }),
      )
  }
}

/** Whose key a viewer's is, no grant says: all of them are taken back. Where no answer comes, they end by themselves. */
async function endLooksAt(camera: PublicKey, { keys, book }: Household, contact: Contact): Promise<void> {
  if (book.cameras.some(({ device, retired }) => retired && device === camera.id)) return
  const owner = keys.signingKeyFor(camera.id)
  const command = revocationOf(null, camera.id, owner)
  const { broker, parts, config } = contact
  const answer = await sendCommand(command, camera, owner, broker, parts, config, contact.until())
  const over = answer?.result === "done" ? "have ended" : "end 30 s after you stop lending: no answer came"
  console.log(`camera ${camera.id}: live views that you lent ${over}`)
}

/** @throws Fault "unavailable": the cloud has not signed for it. */
async function backUpNow({ folder, household }: OpenHousehold, contact: Contact): Promise<void> {
  const before = await folder.backup()
  if (isBackedUp(household.book, before, Date.now())) return
  const { cloud, parts, config } = contact
  const backup = await backUp(
    household.book,
    household.keys,
    before,
    Date.now(),
    cloud,
    parts,
    config,
    contact.until(),
  )
  if (backup === null)
    throw new Fault(
      "unavailable",
      `the cloud has not signed for the household's book within ${contact.within / 1_000} s, so no camera was told of a new key; run "obscura owner household" again`,
    )
  await folder.keepBackup(backup)
}

/** false: this camera has not confirmed. */
async function askCamera(
  open: OpenHousehold,
  { key: camera, confirmed }: SeenCamera,
  contact: Contact,
): Promise<boolean> {
  const { household } = open
  const known = household.camera(camera.id)
  const newest = known?.epochs.at(-1)
  if (!known || known.retired || !newest || known.confirmed >= newest.epoch || newest.epoch === 1) return true
  if (confirmed >= newest.epoch) {
    await changeBook(open, withConfirmed(household.book, camera.id, confirmed))
    return true
  }
  const envelope = household.recipientsEnvelope(camera.id, newest)
  const owner = household.keys.signingKeyFor(camera.id)
  const { broker, parts, config } = contact
  const asked = await askToSealFor(envelope, camera, owner, broker, parts, config, contact.until())
  console.log(`camera ${camera.id}: ${inWords(asked, newest.epoch)}`)
  if (asked.state !== "confirmed") return false
  await changeBook(open, withConfirmed(household.book, camera.id, newest.epoch))
  return true
}

function inWords(asked: Asked, epoch: number): string {
  switch (asked.state) {
    case "confirmed":
      return `confirmed, by a signed heartbeat: it seals for epoch ${epoch}`
    case "accepted":
      return `accepted epoch ${epoch}, and no heartbeat has confirmed it yet; run "obscura owner household" again`
    case "silent":
      return `no answer: it is offline, or the cloud keeps something back; run "obscura owner household" again`
    case "refused":
      // Signed by the camera, and still a stranger's text on this terminal.
      return `refused: ${asked.reason.replace(/\p{Cc}/gu, " ")}`
  }
}
