import { deviceTopic } from "../../firmware/control/protocol.ts"
import { seconds } from "../../firmware/units.ts"
import { Tries } from "../checks/check.ts"
import { bucketSource } from "../owner/bucket-source.ts"
import { resendCommand } from "../owner/command.ts"
import { grantFor, privacyOn, revocationOf } from "../owner/grants.ts"
import { HeardBeats } from "../owner/heard-beats.ts"
import { LiveLook } from "../owner/live-look.ts"
import type { ObjectSource } from "../owner/vault.ts"
import { Vault } from "../owner/vault.ts"
import { afterRestart } from "./after-restart.ts"
import { within } from "./guest.ts"
import type { Home } from "./home.ts"
import { intrude } from "./intruder.ts"
import { nextClipFor } from "./next-clip.ts"
import { objectsIn, opens } from "./sealed-objects.ts"
import { ledAway } from "./support-host.ts"
import { together } from "./tallies.ts"
import { framesIn, lastBeat, picturesIn } from "./unlent.ts"
import type { Insider } from "./world.ts"

/** No person: a cache that takes one identity for another while everybody comes back. */
export const mixedUpCache: Insider = {
  name: "mixed-up cache",
  has: "everybody's sessions, swapped while the fleet reconnects",
  attempts: {
    C19: { when: "during", run: ({ seed }, signal) => afterRestart(seed, signal) },
    C18: {
      when: "during",
      async run(world, signal) {
        const tries = new Tries()
        const [ada, bob] = world.homes
        const victim = world.homes.at(-1)
        if (!ada || !bob || !victim) throw new Error("a world without homes")
        // Sessions at the real broker: one's proof under the other's name.
        for (const [own, other] of [
          [ada, bob],
          [bob, ada],
        ] as const)
          for (const role of ["owner", "viewer"] as const)
            for (const client of [other.owner.id, other.camera.id]) {
              const topics = [deviceTopic(other.camera.id, "beat")]
              const { entered, heard } = await intrude(
                world,
                { role, key: own.owner, client },
                topics,
                [],
                0,
                signal,
              )
              tries.holds(!entered || heard.length === 0, "a session under somebody else's name is let in")
            }
        // What owners say, brought to the wrong camera while it reconnects.
        const takenBy: Home[] = []
        const led = await ledAway(world, victim, signal, async (home, rogue, own) => {
          const other = home === ada ? bob : ada
          const beat = lastBeat(home)
          const words = [
            other.keys.recipientsFor(other.camera.id, 9),
            other.keys.recipientsFor(home.camera.id, 9),
            resendCommand(other.camera.id, 0, 1_000, other.owner),
            resendCommand(home.camera.id, 0, 1_000, other.owner),
            privacyOn(other.camera.id, beat, other.owner),
            privacyOn(home.camera.id, beat, other.owner),
            revocationOf(null, home.camera.id, other.owner),
          ]
          for (const word of words) {
            const mark = home.mark
            await rogue.say(deviceTopic(home.camera.id, "command"), word)
            const late = within(seconds(3), signal).signal
            const line = await home.line("an answer", ({ event }) => event === "command", late, mark)
            own.holds(line.event === "command" && line.result === "refused", "a camera obeys the wrong owner")
            if (home.lines.slice(mark).some(({ event }) => event === "recipients changed"))
              takenBy.push(other)
          }
          const grant = grantFor(
            { device: home.camera.id, receiver: other.owner, reason: "mine, I think", beat },
            other.owner,
          )
          const from = rogue.heard.length
          await rogue.say(
            deviceTopic(home.camera.id, "view"),
            new LiveLook(home.camera, other.owner, grant).ask,
          )
          await new Promise((resolve) => setTimeout(resolve, 300))
          own.holds(framesIn(rogue.heard.slice(from)) === 0, "the wrong owner sees a live view")
          own.leaks({ frames: picturesIn(rogue.heard.slice(from)) })
          // What this camera says, brought to the wrong owner's app.
          const beats = new HeardBeats(other.camera)
          const wrong = new LiveLook(other.camera, other.owner, grant)
          for (const { topic, payload } of rogue.heard) {
            const name = topic.split("/")[3] ?? ""
            if (name === "beat")
              own.holds(
                !beats.hear(deviceTopic(other.camera.id, "beat"), payload),
                "a heartbeat of another camera is believed",
              )
            if (name === "live")
              own.holds(wrong.hearAnswer(payload) === null, "another camera's answer is believed")
          }
        })
        for (const { keys } of takenBy.slice(-1))
          tries.leaks(await nextClipFor(world, victim, keys.identity, signal))
        // Mailboxes: one's clips shown to the other.
        const bucket = await world.holdings.readBucket()
        for (const [own, other] of [
          [ada, bob],
          [bob, ada],
        ] as const) {
          const source: ObjectSource = {
            ...bucketSource(bucket),
            manifests: () => bucketSource(bucket).manifests(other.camera.id),
          }
          const { clips } = await new Vault(source, own.camera, own.keys.identity).view()
          tries.holds(clips.length === 0, "somebody else's clips are listed as one's own")
        }
        const owners = [...world.homes, ...world.others]
        let turn = 0
        for await (const { device, entry, bytes } of objectsIn(world)) {
          const wrong = owners.filter(({ camera }) => camera.id !== device)
          const owner = wrong[turn++ % wrong.length]
          if (!owner) continue
          const open = await opens(bytes, owner.keys.identity)
          tries.holds(!open, `the wrong owner opens a ${entry.kind}`)
          if (open) tries.leaks({ clips: [entry.clip] })
        }
        return together([tries, led])
      },
    },
  },
}
