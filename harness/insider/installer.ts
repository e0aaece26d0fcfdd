import { randomBytes } from "node:crypto"
import { bech32 } from "@scure/base"
import { identityToRecipient } from "age-encryption"
import { sign } from "../../firmware/control/dsse.ts"
import { sha256Hex, signingKeyOf } from "../../firmware/control/keys.ts"
import { deviceTopic } from "../../firmware/control/protocol.ts"
import { seconds } from "../../firmware/units.ts"
import { Tries } from "../checks/check.ts"
import { identityFromText } from "../owner/age-identity.ts"
import { bucketSource } from "../owner/bucket-source.ts"
import { Household } from "../owner/household.ts"
import { EMPTY_BOOK } from "../owner/household-book.ts"
import { checkHousehold } from "../owner/household-check.ts"
import { OwnerKeys } from "../owner/keys.ts"
import { Vault } from "../owner/vault.ts"
import { asOwner, look, within } from "./guest.ts"
import { nextClipFor } from "./next-clip.ts"
import { ledAway } from "./support-host.ts"
import { together } from "./tallies.ts"
import type { Insider } from "./world.ts"

/** Mounted the camera, was lent it while doing so, and would add a key of their own to look later. */
export const installer: Insider = {
  name: "installing technician",
  has: "the camera in their hands once, a grant for the installation, keys of their own",
  attempts: {
    C9: {
      when: "during",
      async run(world, signal) {
        const tries = new Tries()
        const home = world.homes[1] ?? world.homes[0]
        if (!home) throw new Error("a world without homes")
        // The grant ends with the installation: when its time is over, and when the camera is mounted and powered on again.
        await home.alone(() =>
          asOwner(world, home, async (lending) => {
            const key = signingKeyOf(randomBytes(32))
            const grant = await lending.lend(key, "to mount the camera", signal, 600)
            if (!grant) return
            const mounting = within(seconds(10), signal)
            const first = await look(world, home.camera, key, grant, mounting.signal, () => mounting.stop())
            if (first.pictures === 0)
              throw new Error(`the installer saw nothing before either: ${first.refused}`)
            const mark = home.mark
            await home.stop()
            home.start()
            await home.line("a connection", ({ event }) => event === "connected", signal, mark)
            const after = within(seconds(3), signal)
            const second = await look(world, home.camera, key, grant, after.signal, () => after.stop())
            after.stop()
            tries.holds(second.pictures === 0, "the installer's grant outlives the installation")
            tries.leaks({ frames: second.pictures })
          }),
        )
        // A key of their own among the recipients: by their word, a neighbour's, and an old word of the owner's.
        const secret = bech32.encode("age-secret-key-", bech32.toWords(randomBytes(32)), false).toUpperCase()
        const added = await ledAway(world, world.homes[1], signal, async (victim, rogue, own) => {
          const { camera } = victim
          const mine = await identityToRecipient(secret)
          const neighbour = world.homes[0] ?? victim
          const words = [
            sign("recipients", { device: camera.id, epoch: 50, keys: [mine] }, signingKeyOf(randomBytes(32))),
            sign("recipients", { device: camera.id, epoch: 50, keys: [mine] }, neighbour.owner),
            neighbour.keys.recipientsFor(camera.id, 50, mine),
            victim.keys.recipientsFor(camera.id, 1, mine),
            victim.keys.recipientsFor(neighbour.camera.id, 50, mine),
          ]
          for (const word of words) {
            const mark = victim.mark
            await rogue.say(deviceTopic(camera.id, "command"), word)
            const late = within(seconds(3), signal).signal
            await victim.line("an answer", ({ event }) => event === "command", late, mark)
            const changed = victim.lines.slice(mark).some(({ event }) => event === "recipients changed")
            own.holds(!changed, "a viewer's key was added without the owner's signature")
          }
        })
        if (added.violations > 0)
          tries.leaks(await nextClipFor(world, home, identityFromText(secret), signal))
        // And if it had been: the owner is told.
        const bucket = await world.holdings.readBucket()
        const stranger = await OwnerKeys.create()
        const household = await Household.of(home.keys, EMPTY_BOOK)
        const view = await new Vault(bucketSource(bucket), home.camera, home.keys.identity).view()
        const unseen = sha256Hex(stranger.recipientsFor(home.camera.id, 7))
        const epochs = [...view.epochs, { epoch: 7, recipients: unseen }]
        const alerts = checkHousehold({ ...view, epochs }, null, home.camera, household)
        const flagged = alerts.some((alert) => alert.kind === "unseen key" && alert.recipients === unseen)
        tries.holds(flagged, "a key that the owner never signed is not flagged")
        return together([tries, added])
      },
    },
  },
}
