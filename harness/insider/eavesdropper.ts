import { Tries } from "../checks/check.ts"
import { searchPlain } from "../load/plain-search.ts"
import { PLAIN_MARKS } from "./sealed-objects.ts"
import type { Insider } from "./world.ts"

/** Marks of a film, a picture and a label; none may go by in plain. */
const MARKS = [...PLAIN_MARKS, '"label"', '"trigger"']

/** Has every byte between cameras and cloud, inside TLS: as if that were broken, or read where it ends. */
export const eavesdropper: Insider = {
  name: "eavesdropper",
  has: "every byte between cameras and cloud, with TLS taken off",
  attempts: {
    C2: {
      when: "after",
      async run({ homes }) {
        const tries = new Tries()
        for (const { index, canary, wire } of homes) {
          const things = [
            { name: `from home ${index}`, bytes: Buffer.concat(wire.sent) },
            { name: `to home ${index}`, bytes: Buffer.concat(wire.heard) },
          ]
          for (const thing of things) {
            if (thing.bytes.length === 0) throw new Error(`nothing went by ${thing.name}`)
            const { found } = await searchPlain([], canary, each(thing))
            tries.holds(found.length === 0, `the canary ${thing.name}: ${found[0]?.form}`)
            for (const mark of MARKS)
              tries.holds(
                !thing.bytes.includes(Buffer.from(mark, "latin1")),
                `${JSON.stringify(mark)} ${thing.name}`,
              )
          }
        }
        return tries
      },
    },
  },
}

async function* each<T>(thing: T) {
  yield thing
}
