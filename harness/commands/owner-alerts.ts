import { join } from "node:path"
import type { Command } from "commander"
import { publicKeyFromHex } from "../../firmware/control/keys.ts"
import { isFault } from "../../firmware/errors.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import { WakeUp } from "../../firmware/wake.ts"
import { alertsOf } from "../owner/alerts.ts"
import { isBackedUp } from "../owner/backup.ts"
import type { ClipNote } from "../owner/clip-note.ts"
import type { OwnerFolder } from "../owner/folder.ts"
import type { Household } from "../owner/household.ts"
import { readReceipt } from "../owner/receipts.ts"
import { describeSilence } from "../owner/tail.ts"
import { noteFrom, summaryOf, type VaultClip, type VaultObject } from "../owner/vault.ts"
import { watch } from "../owner/watch.ts"
import { type Contact, type ContactOptions, inContact, withContact } from "./owner-contact.ts"
import { look, openHousehold, type SeenCamera, type VaultOptions, vaultCommand } from "./owner-vault.ts"
import { writePrivate } from "./private-file.ts"

interface AlertOptions extends VaultOptions, ContactOptions {
  readonly follow?: boolean
  readonly pictures?: string
}

const HELP = `
First what the cameras saw and you were not told yet: when, what, and with --pictures the picture. It is sealed on the
camera like everything else, and opened here. Then what is not as it should be, each with what to do.
--follow goes on: the broker says when something is new, and not what.

Exit codes: 0 all is well; 1 something is not as it should be; 2 wrong call.`

export function ownerAlertsCommand(): Command {
  return withContact(vaultCommand("alerts", "what the cameras saw, and what is not as it should be"))
    .option("--follow", "go on until Ctrl-C: within seconds of a camera's seeing something")
    .option("--pictures <dir>", "write each clip's picture there, as MP4 of one frame")
    .addHelpText("after", HELP)
    .action(async (options: AlertOptions) => {
      const { folder, household } = await openHousehold(options)
      const teller = new Teller(folder, options, console.log, options.follow ? ON_ITS_WAY : 0)
      await teller.tell(await look(options, household))
      if (options.follow)
        await inContact(options, (contact) => follow(teller, options, household, contact, contact.signal))
      if (!isBackedUp(household.book, await folder.backup(), Date.now()))
        console.log(
          '- the cloud does not have the household\'s newest book, or not lately; run "obscura owner household"',
        )
      if (teller.amiss) process.exitCode = 1
    })
}

/** A camera announces what it has sealed before the cloud has it: whoever follows would be warned of every clip. */
const ON_ITS_WAY: Milliseconds = seconds(30)

/** Tells of each thing once. What was told of clips is remembered in the folder, the rest for as long as this lives. */
export class Teller {
  readonly folder: OwnerFolder
  /** So long what a camera has announced may be on its way before its absence is told of. */
  readonly patience: Milliseconds
  readonly #options: Pick<AlertOptions, "pictures">
  readonly #print: (line: string) => void
  readonly #now: () => number
  readonly #said = new Set<string>()
  /** By camera: after which sequence nothing came, and since when. */
  readonly #awaited = new Map<string, { readonly after: number; readonly since: number }>()
  amiss = false

  constructor(
    folder: OwnerFolder,
    options: Pick<AlertOptions, "pictures">,
    print: (line: string) => void,
    patience: Milliseconds = 0,
    now: () => number = Date.now,
  ) {
    this.folder = folder
    this.#options = options
    this.#print = print
    this.patience = patience
    this.#now = now
  }

  /** Something may still be on its way, so that a look is due though nobody has news. */
  get isWaiting(): boolean {
    return [...this.#awaited.values()].some(({ since }) => this.#now() - since < this.patience)
  }

  async tell(cameras: readonly SeenCamera[]): Promise<void> {
    for (const camera of cameras) {
      const { id } = camera.key
      await this.#tellClips(camera)
      const onItsWay = this.#isOnItsWay(camera)
      for (const { kind, says, advice } of alertsOf(camera)) {
        if (kind === "withheld" && onItsWay) continue
        this.amiss = true
        this.#once(`! camera ${id}: ${says}\n    what to do: ${advice}`)
      }
      const silence = describeSilence(camera.tail.silentSince)
      if (silence !== null) this.#once(`- camera ${id}: ${silence}`)
    }
  }

  #isOnItsWay({ key, tail }: SeenCamera): boolean {
    const after = tail.alerts.flatMap((alert) => (alert.kind === "withheld" ? [alert.after] : []))[0]
    if (after === undefined) this.#awaited.delete(key.id)
    else if (this.#awaited.get(key.id)?.after !== after)
      this.#awaited.set(key.id, { after, since: this.#now() })
    const since = this.#awaited.get(key.id)?.since
    return since !== undefined && this.#now() - since < this.patience
  }

  async #tellClips(camera: SeenCamera): Promise<void> {
    const { id } = camera.key
    const told = await this.folder.told(id)
    let newest = told
    for (const clip of camera.view.clips) {
      const object = clip.thumbnail ?? clip.summary
      if (object?.fate !== "received" || object.sequence <= told) continue
      newest = Math.max(newest, object.sequence)
      const said = await describe(camera, clip, object, this.#options.pictures)
      this.#print(`${said}  camera ${id}`)
    }
    if (newest > told) await this.folder.keepTold(id, newest)
  }

  #once(line: string): void {
    if (this.#said.has(line)) return
    this.#said.add(line)
    this.#print(line)
  }
}

/** Looks again whenever the broker has news, until `signal` aborts. Receipts are kept; nothing else of it is believed. */
export async function follow(
  teller: Teller,
  options: VaultOptions,
  household: Household,
  { cloud, broker, parts, config }: Pick<Contact, "cloud" | "broker" | "parts" | "config">,
  signal: AbortSignal,
): Promise<void> {
  const { folder } = teller
  const cameras = await folder.cameras()
  const receiptKey = publicKeyFromHex(cloud.receiptKey)
  const heard = new Map<string, Uint8Array>()
  const receipts: { readonly device: string; readonly envelope: Buffer }[] = []
  const news = new WakeUp()
  let isNew = true
  const running = watch(
    cameras,
    household.keys,
    broker,
    parts,
    config,
    ({ camera, topic, payload }) => {
      if (topic === "beat") heard.set(camera.id, Buffer.from(payload))
      else if (readReceipt(payload, camera.id, receiptKey))
        receipts.push({ device: camera.id, envelope: Buffer.from(payload) })
      isNew = true
      news.wake()
    },
    signal,
  )
  while (!signal.aborted) {
    const lookAgain = () => {
      isNew = true
      news.wake()
    }
    const again = teller.isWaiting ? setTimeout(lookAgain, teller.patience) : undefined
    if (!isNew) await news.wait(signal)
    clearTimeout(again)
    if (signal.aborted) break
    isNew = false
    for (const { device, envelope } of receipts.splice(0))
      await folder.keepSigned("receipts", device, envelope)
    // Opened anew: a rotation elsewhere has made a key that was not there when this began.
    await teller.tell(await look(options, await folder.household(household.keys), heard))
  }
  await running
}

async function describe(
  { vault }: SeenCamera,
  { clip, thumbnail }: VaultClip,
  object: VaultObject,
  pictures: string | undefined,
): Promise<string> {
  try {
    const seen =
      object === thumbnail ? await noteFrom(vault, object) : { note: await summaryOf(vault, object) }
    let where = ""
    if (pictures !== undefined && "picture" in seen) {
      where = join(pictures, `${clip}.mp4`)
      await writePrivate(where, seen.picture)
    }
    return `${inWords(seen.note)}  clip ${clip}${where && `  ${where}`}`
  } catch (error) {
    // One that does not open is told of all the same; "verify" says why.
    if (!isFault(error) || error.kind === "usage") throw error
    return `time unknown  clip ${clip}  ${error.message}`
  }
}

function inWords(note: ClipNote | null): string {
  if (note === null) return "time unknown"
  const what = [note.label, note.trigger].filter((each) => each !== null).join(", ")
  return `${new Date(note.startedAt.at).toISOString()}  ${what}`
}
