import { Argument, type Command } from "commander"
import type { PublicKey } from "../../firmware/control/keys.ts"
import type { Answer } from "../../firmware/control/protocol.ts"
import { Fault } from "../../firmware/errors.ts"
import { resendCommand, sendCommand } from "../owner/command.ts"
import type { OwnerKeys } from "../owner/keys.ts"
import { missingIn, namedIn, type SequenceRange } from "../owner/missing.ts"
import { cloudDialler } from "./cloud-address.ts"
import { type Contact, type ContactOptions, inContact, withContact } from "./owner-contact.ts"
import { look, openHousehold, type SeenCamera, type VaultOptions, vaultCommand } from "./owner-vault.ts"

type ResendOptions = VaultOptions & ContactOptions

const HELP = `
A camera keeps what the cloud has signed for until it needs the room. The command travels through the cloud, which
carries it to a camera that is connected, and keeps it for none: where no answer comes, ask again later.

Exit codes: 0 the camera sends what was asked for, or nothing is missing; 1 it refused, or did not answer; 2 wrong call.`

export function ownerResendCommand(): Command {
  const command = vaultCommand(
    "resend",
    "ask cameras to send again what the cloud has lost or withholds",
  ).addArgument(
    new Argument(
      "[what...]",
      "ids of clips or objects, or beginnings of them, or nothing for all that is missing",
    ),
  )
  return withContact(command, 30).addHelpText("after", HELP).action(resend)
}

async function resend(what: readonly string[], options: ResendOptions): Promise<void> {
  await cloudDialler(options.home, options.broker) // refuses a wrong address before anything is opened
  const { household } = await openHousehold(options)
  const asked = askedOf(await look(options, household), what)
  if (asked.length === 0) return console.log("nothing is missing")
  const all = await inContact(options, (contact) => askAll(asked, household.keys, contact))
  if (!all) process.exitCode = 1
}

async function askAll(asked: readonly Asked[], keys: OwnerKeys, contact: Contact): Promise<boolean> {
  let all = true
  for (const { camera, ranges } of asked) all = (await askOne(camera, ranges, keys, contact)) && all
  return all
}

interface Asked {
  readonly camera: PublicKey
  readonly ranges: readonly SequenceRange[]
}

/** @throws Fault "usage", definite: no camera has a clip or an object of that name. */
function askedOf(cameras: readonly SeenCamera[], what: readonly string[]): readonly Asked[] {
  const named = cameras.map(({ key, view }) => ({ camera: key, ...namedIn(view, what) }))
  const unknown = what.filter((id) => !named.some(({ found }) => found.includes(id)))
  if (unknown.length > 0)
    throw new Fault(
      "usage",
      `no clip or object begins with ${unknown.join(", ")}; "obscura owner list" and "verify" show them`,
    )
  const missing = cameras.map(({ key, view, tail, gone }) => ({
    camera: key,
    ranges: missingIn(view, tail, gone),
  }))
  return (what.length > 0 ? named : missing).filter(({ ranges }) => ranges.length > 0)
}

/** false: not all of it will come. */
async function askOne(
  camera: PublicKey,
  ranges: readonly SequenceRange[],
  keys: OwnerKeys,
  { broker, parts, config, until, within, signal }: Contact,
): Promise<boolean> {
  const owner = keys.signingKeyFor(camera.id)
  let all = true
  for (const { from, to } of ranges) {
    const command = resendCommand(camera.id, from, to, owner)
    const answer = await sendCommand(command, camera, owner, broker, parts, config, until())
    if (signal.aborted) return false
    if (answer === null) {
      console.error(
        `obscura: camera ${camera.id} has not answered within ${within / 1_000} s: it is offline, or the cloud keeps back the command or the answer; ask again later`,
      )
      return false
    }
    console.log(`camera ${camera.id}, sequences ${from} to ${to}: ${inWords(answer)}`)
    all &&= answer.result === "done"
  }
  return all
}

function inWords({ result, reason }: Answer): string {
  // Signed by the camera, and still a stranger's text on this terminal.
  const said = reason.replace(/\p{Cc}/gu, " ")
  return result === "done" ? said : `refused: ${said}`
}
