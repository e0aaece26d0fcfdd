import { type Bytes, MiB } from "../../firmware/units.ts"
import { Tries } from "../checks/check.ts"
import { secretsOf } from "./run-secrets.ts"
import { searchSecrets } from "./secret-search.ts"
import type { Insider } from "./world.ts"

/** Of each file: a bucket's volumes are random but for their headers. */
const FILE_BYTES_MAX: Bytes = 64 * MiB

/** Reads every line that any program has written, and every file that a run leaves. */
export const logReader: Insider = {
  name: "log reader",
  has: "every log, database and folder of the run but the owners' own",
  attempts: {
    C1: {
      when: "after",
      async run(world) {
        const tries = new Tries()
        const secrets = await secretsOf(world)
        const { found, files } = await searchSecrets(world.holdings.places, secrets, FILE_BYTES_MAX)
        if (files === 0) throw new Error("there is nothing to read")
        for (const { name } of secrets) {
          const where = found.find((each) => each.name === name)
          tries.holds(!where, `${name} in ${where?.form} in ${where?.file.split("/").at(-1)}`)
        }
        return tries
      },
    },
  },
}
