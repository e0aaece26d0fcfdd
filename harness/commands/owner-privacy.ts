import { Argument, type Command } from "commander"
import { Fault } from "../../firmware/errors.ts"
import { OwnerFolder } from "../owner/folder.ts"
import { changePrivacy } from "../owner/privacy.ts"
import { homePaths } from "./options.ts"
import { openOwner } from "./owner.ts"
import { cameraNamed } from "./owner-camera.ts"
import { type ContactOptions, inContact, withContact } from "./owner-contact.ts"
import { type VaultOptions, vaultCommand } from "./owner-vault.ts"

const HELP = `
In privacy mode a camera's lens rests, its shutter is closed, nobody looks, and nothing is recorded; its status light and
its heartbeats say so, and a restart changes nothing. It begins from anywhere, with this command. To leave it takes two:
somebody at the camera, who presses its button, and the owner, who signs what the camera gives then. No cloud can.

Exit codes: 0 the camera says that it is done; 1 it refused, or did not answer; 2 wrong call.`

export function ownerPrivacyCommand(): Command {
  const command = vaultCommand(
    "privacy",
    "make a camera blind, until somebody at it and its owner say otherwise",
  )
    .addArgument(new Argument("<camera>", "its id, or the beginning of it"))
    .addArgument(
      new Argument("<mode>", "on: from anywhere; off: press its button, too").choices(["on", "off"]),
    )
    .addHelpText("after", HELP)
  return withContact(command, 60).action(
    async (camera: string, mode: "on" | "off", options: VaultOptions & ContactOptions) => {
      const keys = await openOwner(options)
      const key = await cameraNamed(new OwnerFolder(homePaths(options.home).owner), camera)
      await inContact(options, async ({ broker, parts, config, until }) => {
        const owner = keys.signingKeyFor(key.id)
        const tell = () => console.error(`press the button of camera ${key.id} now, within ${options.wait} s`)
        const outcome = await changePrivacy(
          mode,
          { camera: key, owner, broker, link: parts, config },
          tell,
          until(),
        )
        if (outcome === null)
          throw new Fault(
            "unavailable",
            `camera ${key.id} did not answer; it may be off, or nobody has pressed`,
          )
        if (outcome === "is off already") return console.log(`camera ${key.id}: it is not in privacy mode`)
        const said = outcome.reason.replace(/\p{Cc}/gu, " ")
        if (outcome.result === "refused") throw new Fault("refused", `camera ${key.id} refuses: ${said}`)
        console.log(`camera ${key.id}: ${said}`)
      })
    },
  )
}
