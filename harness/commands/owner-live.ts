import { Argument, type Command, Option } from "commander"
import type { PublicKey } from "../../firmware/control/keys.ts"
import { Fault } from "../../firmware/errors.ts"
import type { DecodableUnit } from "../../firmware/media/annexb.ts"
import { seconds } from "../../firmware/units.ts"
import { OwnerFolder } from "../owner/folder.ts"
import { ownGrants } from "../owner/grants.ts"
import type { OwnerKeys } from "../owner/keys.ts"
import { readLent } from "../owner/lent.ts"
import { filmOf } from "../owner/live-film.ts"
import { LiveWatch, type WatchParts } from "../owner/live-watch.ts"
import { fileSink, NO_SINK, playerSink, type Sink } from "./live-sink.ts"
import { homePaths, wholeNumber } from "./options.ts"
import { openOwner } from "./owner.ts"
import { cameraNamed } from "./owner-camera.ts"
import { type Contact, type ContactOptions, inContact, withContact } from "./owner-contact.ts"
import { type VaultOptions, vaultCommand } from "./owner-vault.ts"
import { patience } from "./patience.ts"

interface LiveOptions extends VaultOptions, ContactOptions {
  readonly play?: boolean
  readonly out?: string
  readonly seconds?: number
  readonly reason: string
  readonly lent?: string
}

const SECONDS_MAX = 86_400
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
    .addOption(new Option("--seconds <n>", "stop after so many").argParser(wholeNumber(1, SECONDS_MAX)))
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
    await inContact(options, async (contact) => {
      const watch = new LiveWatch(partsOf(whose, contact))
      let pictures = 0
      const over = new AbortController()
      const end = () => over.abort()
      for (const signal of [contact.signal, sink.closed])
        signal.addEventListener("abort", end, { once: true })
      const until = patience(over.signal, seconds(options.seconds ?? SECONDS_MAX))
      const units = async function* (): AsyncGenerator<DecodableUnit> {
        for await (const { unit } of watch.pictures(until)) {
          if (pictures++ === 0) console.error(`live: camera ${whose.camera.id}; its light is on`)
          yield unit
        }
      }
      for await (const bytes of filmOf(units())) await sink.write(bytes)
      console.error(`live: ${pictures} pictures, ${watch.lost} lost on the way`)
      if (pictures === 0) throw new Fault("unavailable", "live: no picture came")
    })
  } finally {
    await sink.close()
  }
}

type Whose = Pick<WatchParts, "camera" | "viewer" | "role" | "grant">

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

function partsOf(whose: Whose, { broker, parts, config }: Contact): WatchParts {
  return { ...whose, broker, link: parts, config }
}

function sinkFor({ play, out }: LiveOptions): Promise<Sink> | Sink {
  if (play) return playerSink()
  return out === undefined ? NO_SINK : fileSink(out)
}
