import { Argument, type Command, Option } from "commander"
import { Fault, isFault } from "../../firmware/errors.ts"
import { seconds } from "../../firmware/units.ts"
import { OwnerFolder } from "../owner/folder.ts"
import { Lending } from "../owner/lending.ts"
import { openServices } from "../services/services.ts"
import { type AnswerParts, recordEnd, sendGrant, sendRefusal } from "../services/support/answering.ts"
import { type Asked, SupportInbox, viewerOf } from "../services/support/owner-inbox.ts"
import { homePaths, wholeNumber } from "./options.ts"
import { openOwner } from "./owner.ts"
import { cameraNamed } from "./owner-camera.ts"
import { type ContactOptions, inContact, withContact } from "./owner-contact.ts"
import { recordLent } from "./owner-lend.ts"
import { type VaultOptions, vaultCommand } from "./owner-vault.ts"
import { patience } from "./patience.ts"

interface AnswerOptions extends VaultOptions, ContactOptions {
  readonly newCode?: boolean
  readonly camera?: string
  readonly minutes?: number
  readonly refuse?: boolean
}

const HELP = `
Make a code (--new-code) and tell it to the person of the support whom you called; it is good for a day. What they ask
then is listed here, with their name and their reason. A yes is for one camera, for minutes, and for
the one key that they made for it. While this command runs the look is renewed; Ctrl-C takes it back at once, and if the
cloud withholds even that, it ends within 30 s. What was seen cannot be unseen. That they are who they say, you know from
your call: the name is their company's word.

Exit codes: 0 listed, refused, or granted and over; 1 no heartbeat of the camera came; 2 wrong call.`

export function ownerAnswerCommand(): Command {
  const command = vaultCommand(
    "answer",
    "what the support asks of you: list it, let them look at one camera, or refuse",
  )
    .addArgument(new Argument("[request]", "its id, or the beginning of it; without one they are listed"))
    .addOption(
      new Option("--new-code", "make a support code to tell somebody").conflicts(["camera", "refuse"]),
    )
    .option("--camera <id>", "let them look at this one")
    .addOption(new Option("--minutes <n>", "for fewer minutes than they ask").argParser(wholeNumber(1, 10)))
    .addOption(new Option("--refuse", "say no").conflicts("camera"))
    .addHelpText("after", HELP)
  return withContact(command, 60).action(answer)
}

async function answer(beginning: string | undefined, options: AnswerOptions): Promise<void> {
  const paths = homePaths(options.home)
  const { support, record } = openServices(paths.cloud)
  const inbox = new SupportInbox(paths.owner, support.boxes)
  if (options.newCode) return console.log((await inbox.newCode()).text)
  const asked = await inbox.open((why) => console.error(`! ${why}`))
  if (beginning === undefined) return list(asked)
  const found = asked.filter(({ request }) => request.startsWith(beginning))
  const [one] = found
  if (one === undefined || found.length > 1)
    throw new Fault(
      "usage",
      `${found.length || "no"} requests begin with ${JSON.stringify(beginning.slice(0, 40))}; without a name they are listed`,
    )
  const parts = { inbox, boxes: support.boxes, record }
  if (options.refuse) return sendRefusal(one, parts)
  if (options.camera === undefined)
    throw new Fault("usage", "answer: --camera ID lets them look at it, --refuse says no")
  await grant(one, options.camera, options, parts)
}

function list(asked: readonly Asked[]): void {
  for (const { request, name, reason, seconds: wanted } of asked)
    console.log(`${request}  ${name} asks to look at a camera for ${Math.ceil(wanted / 60)} min: ${reason}`)
  if (asked.length === 0) console.log("nobody asks")
}

async function grant(
  asked: Asked,
  wanted: string,
  options: AnswerOptions,
  parts: AnswerParts,
): Promise<void> {
  const keys = await openOwner(options)
  const folder = new OwnerFolder(homePaths(options.home).owner)
  const camera = await cameraNamed(folder, wanted)
  const duration = Math.min(asked.seconds, (options.minutes ?? 10) * 60)
  await inContact(options, async ({ broker, parts: link, config, until, signal }) => {
    const lending = new Lending({ camera, owner: keys.signingKeyFor(camera.id), broker, link, config })
    const done = new AbortController()
    const running = lending.run(done.signal)
    try {
      const envelope = await lending.lend(viewerOf(asked), asked.reason, until(), duration)
      if (envelope === null) throw new Fault("unavailable", `no heartbeat of camera ${camera.id} came`)
      // Before it is handed out: a grant that nobody remembers would look like a stranger's.
      await folder.keepSigned("grants", camera.id, envelope)
      await recordLent(lending, envelope, until())
      await sendGrant(asked, camera, envelope, parts)
      console.error(`${asked.name} may look at camera ${camera.id} for ${duration} s; Ctrl-C takes it back`)
      await link.clock.sleep(seconds(duration), patience(signal, seconds(duration)))
      try {
        if (signal.aborted) await lending.takeBack(envelope)
      } catch (cause) {
        if (!isFault(cause, "unavailable")) throw cause
        const message = "the cloud was not reached; nothing renews the look any more, and it ends within 30 s"
        throw new Fault("unavailable", message, { cause })
      } finally {
        await recordEnd(asked, parts)
      }
    } finally {
      done.abort()
      await running
    }
  })
}
