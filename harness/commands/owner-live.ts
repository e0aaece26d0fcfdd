import { Argument, type Command, Option } from "commander"
import type { PublicKey } from "../../firmware/control/keys.ts"
import { Fault } from "../../firmware/errors.ts"
import { OwnerFolder } from "../owner/folder.ts"
import { ownGrants } from "../owner/grants.ts"
import type { OwnerKeys } from "../owner/keys.ts"
import { readLent } from "../owner/lent.ts"
import { homePaths, wholeNumber } from "./options.ts"
import { openOwner } from "./owner.ts"
import { cameraNamed } from "./owner-camera.ts"
import { type ContactOptions, inContact, withContact } from "./owner-contact.ts"
import { type VaultOptions, vaultCommand } from "./owner-vault.ts"
import { LOOK_SECONDS_MAX, type ShowOptions, showLive, sinkFor, type Whose } from "./show-live.ts"

interface LiveOptions extends VaultOptions, ContactOptions, ShowOptions {
  readonly seconds?: number
  readonly reason: string
  readonly lent?: string
}

const HELP = `
The camera puts its recording light on, and notes the look in its own chain, before a picture leaves it. What comes is
sealed for this look alone; the cloud carries it. The file is a fragmented MP4 that plays while it grows; with "--out -" it
goes to standard output. To look at somebody else's camera, give the file of their "obscura owner lend" as --lent.

Exit codes: 0 looked until stopped, or for --seconds; 1 the camera refused, or did not answer; 2 wrong call.`

export function ownerLiveCommand(): Command {
  const command = vaultCommand("live", "look at a camera live: --play it, or keep it as a film")
    .addArgument(new Argument("[camera]", "its id, or the beginning of it; with --lent the file says which"))
    .addOption(new Option("--play", "show it with ffplay or mpv, whichever is installed").conflicts("out"))
    .option("--out <file>", "write it as fragmented MP4; - is standard output")
    .addOption(new Option("--seconds <n>", "stop after so many").argParser(wholeNumber(1, LOOK_SECONDS_MAX)))
    .option("--reason <text>", "why; it is part of the grant, which the cloud carries", "the owner looks")
    .option("--lent <file>", "look by what another owner lends")
    .addHelpText("after", HELP)
  return withContact(command, 40).action(live)
}

async function live(name: string | undefined, options: LiveOptions): Promise<void> {
  const keys = await openOwner(options)
  const whose = await whoseCamera(name, options, keys)
  // A wrong path or a missing player is worth a line before anybody's light goes on.
  const sink = await sinkFor(options)
  try {
    await inContact(options, (contact) => showLive(whose, contact, sink, options.seconds))
  } finally {
    await sink.close()
  }
}

async function whoseCamera(name: string | undefined, options: LiveOptions, keys: OwnerKeys): Promise<Whose> {
  if (options.lent !== undefined) {
    const lent = await readLent(options.lent)
    const viewer = keys.signingKeyFor(lent.camera.id)
    return { camera: lent.camera, viewer, role: "viewer", grant: async () => lent }
  }
  if (name === undefined) throw new Fault("usage", 'live: which camera? "obscura owner list" shows them')
  const camera: PublicKey = await cameraNamed(new OwnerFolder(homePaths(options.home).owner), name)
  const viewer = keys.signingKeyFor(camera.id)
  return { camera, viewer, role: "owner", grant: ownGrants(camera, viewer, options.reason) }
}
