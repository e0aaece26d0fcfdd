import { randomBytes } from "node:crypto"
import { signingKeyOf } from "../../firmware/control/keys.ts"
import { Tries } from "../checks/check.ts"
import { pathToACamera } from "./research-team.ts"
import { serverKeys } from "./server-secrets.ts"
import { askInVain } from "./unlent.ts"
import type { Insider } from "./world.ts"

/** Types a customer's e-mail address into a portal, and has whatever credential the servers have. */
export const executive: Insider = {
  name: "executive",
  has: "a customer's e-mail address, any server credential, a portal",
  attempts: {
    C3: {
      when: "after",
      async run(world) {
        const tries = new Tries()
        const path = await pathToACamera(world)
        tries.holds(path === null, `from an e-mail to a camera: ${path}`)
        return tries
      },
    },
    C4: {
      when: "during",
      async run(world, signal) {
        const tries = new Tries()
        // Somebody has told them which camera it is.
        const credentials = [signingKeyOf(randomBytes(32)), ...(await serverKeys(world.holdings.keyFile))]
        for (const home of world.homes.slice(0, 2))
          for (const key of credentials) await askInVain(world, home, key, tries, signal)
        return tries
      },
    },
  },
}
