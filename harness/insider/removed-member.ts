import { randomBytes } from "node:crypto"
import { bech32 } from "@scure/base"
import { identityToRecipient } from "age-encryption"
import { signingKeyOf } from "../../firmware/control/keys.ts"
import { seconds } from "../../firmware/units.ts"
import { sleep } from "../../simulator/sleep.ts"
import { Tries } from "../checks/check.ts"
import { identityFromText } from "../owner/age-identity.ts"
import { asOwner, look, within } from "./guest.ts"
import { sendAsOwner } from "./orders.ts"
import { objectsIn, opens } from "./sealed-objects.ts"
import type { Insider } from "./world.ts"

/** After being taken back, so long pictures may still come. */
const ENDS_WITHIN = seconds(2)
const LISTENS = seconds(1)

/** Had the household's key and a live view, and has neither any more. */
export const removedMember: Insider = {
  name: "removed member",
  has: "the household's key and a grant from before they were removed, and every sealed object",
  attempts: {
    C8: {
      when: "during",
      async run(world, signal) {
        const tries = new Tries()
        const [watched, household] = world.homes
        if (!watched || !household) throw new Error("a world without homes")
        await Promise.all([watched.alone(() => liveView()), household.alone(() => nextClip())])
        return tries

        async function liveView() {
          if (!watched) return
          const key = signingKeyOf(randomBytes(32))
          await asOwner(world, watched, async (lending) => {
            const grant = await lending.lend(key, "to see to the garden", signal)
            if (!grant) return
            const end = within(seconds(20), signal)
            let takenBack: number | null = null
            let late = 0
            let saw: () => void = () => undefined
            const first = new Promise<void>((resolve) => {
              saw = resolve
            })
            const looking = look(world, watched.camera, key, grant, end.signal, () => {
              saw()
              if (takenBack !== null && performance.now() - takenBack > ENDS_WITHIN) late++
            })
            await Promise.race([first, looking])
            await lending.takeBack(grant)
            takenBack = performance.now()
            await sleep(ENDS_WITHIN + LISTENS, signal)
            end.stop()
            const { pictures } = await looking
            if (pictures === 0) throw new Error("the guest saw nothing before either")
            tries.holds(late === 0, `${late} pictures later than 2 s after the view was taken back`)
            tries.leaks({ frames: late })
            const again = within(seconds(4), signal)
            const second = await look(world, watched.camera, key, grant, again.signal, () => again.stop())
            again.stop()
            tries.holds(second.pictures === 0, "a grant that was taken back shows pictures again")
            tries.leaks({ frames: second.pictures })
          })
        }

        async function nextClip() {
          if (!household) return
          const { camera, keys, owner } = household
          const secret = bech32
            .encode("age-secret-key-", bech32.toWords(randomBytes(32)), false)
            .toUpperCase()
          const changed = keys.recipientsFor(camera.id, ++household.epoch, await identityToRecipient(secret))
          const answer = await sendAsOwner(world, household, changed, owner, signal)
          if (answer?.result !== "done") throw new Error("the camera did not take its new recipients")
          const clip = await household.recordClip(signal)
          const [former, present] = [keys.identity, identityFromText(secret)]
          let before = 0
          for await (const { device, entry, bytes } of objectsIn(world)) {
            if (device !== camera.id) continue
            if (entry.clip !== clip) {
              if (await opens(bytes, former)) before++
              continue
            }
            const stillOpens = await opens(bytes, former)
            tries.holds(!stillOpens, `a ${entry.kind} after the removal opens for them`)
            if (stillOpens) tries.leaks({ clips: [clip] })
            if (!stillOpens && !(await opens(bytes, present)))
              throw new Error("nor does it open for the household")
          }
          if (before === 0) throw new Error("nothing opened for them before either")
        }
      },
    },
  },
}
