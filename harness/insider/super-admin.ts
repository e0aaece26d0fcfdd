import { randomBytes } from "node:crypto"
import { signingKeyOf } from "../../firmware/control/keys.ts"
import { seconds } from "../../firmware/units.ts"
import { Tries } from "../checks/check.ts"
import { asOwner, look, within } from "./guest.ts"
import { lightAndPrivacy } from "./light-and-privacy.ts"
import { asking, seesNothing } from "./unlent.ts"
import type { Insider } from "./world.ts"

/** How many other cameras somebody tries with a grant for one. */
const OTHERS_MAX = 20

/** May do everything that an account can do, and everything that one owner let them. */
export const superAdmin: Insider = {
  name: "super-admin",
  has: "every server key, every camera's id, a grant for one camera, a stolen owner's key without the home",
  attempts: {
    C10: {
      when: "during",
      async run(world, signal) {
        const tries = new Tries()
        const [lent, ...rest] = world.homes
        if (!lent) throw new Error("a world without homes")
        const key = signingKeyOf(randomBytes(32))
        await lent.alone(() =>
          asOwner(world, lent, async (lending) => {
            const grant = await lending.lend(key, "the picture freezes", signal)
            if (!grant) return
            const until = within(seconds(10), signal)
            const own = await look(world, lent.camera, key, grant, until.signal, () => until.stop())
            until.stop()
            if (own.pictures === 0) throw new Error(`nor by the grant for this camera: ${own.refused}`)
            const cameras = [...rest.map(({ camera }) => camera), ...world.others.map(({ camera }) => camera)]
            for (const camera of cameras.slice(0, OTHERS_MAX)) {
              // By the address that the grant opens, and by the other's own.
              const words = [asking(lent.camera, key, grant), asking(camera, key, grant)]
              await seesNothing(
                { world, tries, signal },
                camera,
                key,
                words,
                400,
                "a grant for one camera shows another",
              )
            }
          }),
        )
        return tries
      },
    },
    C12: {
      when: "during",
      run(world, signal) {
        const home = world.homes[2] ?? world.homes[0]
        if (!home) throw new Error("a world without homes")
        return lightAndPrivacy(world, home, signal)
      },
    },
  },
}
