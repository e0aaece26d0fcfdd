import { Argument, type Command, Option } from "commander"
import { publicKeyFromHex } from "../../firmware/control/keys.ts"
import { GRANT_FOR_MAX } from "../../firmware/control/live-messages.ts"
import { Fault } from "../../firmware/errors.ts"
import { seconds } from "../../firmware/units.ts"
import { OwnerFolder } from "../owner/folder.ts"
import { Lending } from "../owner/lending.ts"
import { lentText } from "../owner/lent.ts"
import { homePaths, wholeNumber } from "./options.ts"
import { openOwner } from "./owner.ts"
import { cameraNamed } from "./owner-camera.ts"
import { type ContactOptions, inContact, withContact } from "./owner-contact.ts"
import { type VaultOptions, vaultCommand } from "./owner-vault.ts"
import { patience } from "./patience.ts"
import { writePrivate } from "./private-file.ts"

interface LendOptions extends VaultOptions, ContactOptions {
  readonly to?: string
  readonly reason?: string
  readonly seconds: number
  readonly out: string
  readonly key?: boolean
}

const SECONDS_MAX = GRANT_FOR_MAX / 1_000
const HELP = `
Whoever wants to look tells you their key ("obscura owner lend CAMERA --key", in their own household). You lend, and give
them the file; they look with "obscura owner live --lent FILE". While this command runs the look is renewed; Ctrl-C takes
it back at once, and if the cloud withholds even that, it ends within 30 s. What was seen cannot be unseen.

Exit codes: 0 it was lent, and its time is over or it was taken back; 1 no heartbeat of the camera came; 2 wrong call.`

export function ownerLendCommand(): Command {
  const command = vaultCommand("lend", "let somebody else look at a camera live, for at most ten minutes")
    .addArgument(new Argument("<camera>", "its id, or the beginning of it; with --key the whole of it"))
    .option("--to <key>", "who may look: their key for this camera, 64 hex digits")
    .option("--reason <text>", "why they may; the cloud that carries the grant can read it")
    .addOption(
      new Option("--seconds <n>", "for how long").argParser(wholeNumber(1, SECONDS_MAX)).default(SECONDS_MAX),
    )
    .option("--out <file>", "where the file for them goes", "lent.json")
    .addOption(
      new Option("--key", "only show this household's key for that camera").conflicts(["to", "reason"]),
    )
    .addHelpText("after", HELP)
  return withContact(command, 60).action(lend)
}

async function lend(name: string, options: LendOptions): Promise<void> {
  const keys = await openOwner(options)
  if (options.key) {
    if (!/^[0-9a-f]{40}$/.test(name))
      throw new Fault("usage", "lend: --key needs the camera's whole id, 40 hex digits")
    return console.log(keys.signingKeyFor(name).hex)
  }
  const { to, reason } = options
  if (to === undefined || !/^[0-9a-f]{64}$/.test(to))
    throw new Fault("usage", "lend: --to wants a key of 64 hex digits, as lend --key shows it")
  if (reason === undefined || reason.trim() === "") throw new Fault("usage", "lend: say why, with --reason")
  const receiver = publicKeyFromHex(to)
  const folder = new OwnerFolder(homePaths(options.home).owner)
  const camera = await cameraNamed(folder, name)
  await inContact(options, async ({ broker, parts, config, until, signal }) => {
    const owner = keys.signingKeyFor(camera.id)
    const lending = new Lending({ camera, owner, broker, link: parts, config })
    const done = new AbortController()
    const running = lending.run(done.signal)
    try {
      const grant = await lending.lend(receiver, reason, until(), options.seconds)
      if (grant === null) throw new Fault("unavailable", `no heartbeat of camera ${camera.id} came`)
      // Before it is handed out: a grant that nobody remembers would look like a stranger's.
      await folder.keepSigned("grants", camera.id, grant)
      await recordLent(lending, grant, until())
      await writePrivate(options.out, lentText(camera, grant))
      console.log(options.out)
      console.error("lent; Ctrl-C takes it back")
      await parts.clock.sleep(seconds(options.seconds), patience(signal, seconds(options.seconds)))
      if (signal.aborted) await lending.takeBack(grant)
    } finally {
      done.abort()
      await running
    }
  })
}

/** No grant leaves before the cloud has recorded it; without an answer it is taken back. */
export async function recordLent(lending: Lending, grant: Uint8Array, signal: AbortSignal): Promise<void> {
  try {
    const recorded = await lending.record(grant, signal)
    if (recorded === null)
      throw new Fault("unavailable", "not lent: the cloud does not say that it is recorded")
    if (recorded === "none")
      console.error("this cloud keeps no access log: that you lent, only you will know")
  } catch (error) {
    await lending.takeBack(grant)
    throw error
  }
}
