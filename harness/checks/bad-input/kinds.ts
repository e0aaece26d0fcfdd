import { SIGNED_KINDS } from "../../../firmware/control/dsse.ts"
import { type Run, Tries } from "../check.ts"
import { everyDoor } from "../worlds/doors.ts"
import { everyKind } from "../worlds/kinds.ts"
import { fuzzSubjects, tryOnce } from "./fuzz.ts"

const RUNS_EACH = 60

export const checks = {
  "kinds-at-doors": async () => {
    const tries = new Tries()
    const world = await everyKind()
    const doors = await everyDoor(world)
    for (const kind of SIGNED_KINDS)
      tries.holds(
        doors.some((door) => door.kind === kind),
        `no door for ${kind}`,
      )
    // Its own last: some doors open once.
    for (const door of doors)
      for (const kind of [...SIGNED_KINDS.filter((each) => each !== door.kind), door.kind]) {
        const taken = await door.takes(world.messages[kind]).catch(() => "a crash")
        tries.is(taken, kind === door.kind, `${kind} at the door of the ${door.name}`)
      }
    return tries
  },

  fuzzed: async () => {
    const tries = new Tries()
    for (const subject of await fuzzSubjects(1))
      for (let run = 0; run < RUNS_EACH; run++) {
        const { flaw } = await tryOnce(subject, 1, run)
        tries.holds(flaw === null, `${subject.name}, run ${run}: ${flaw}`)
      }
    return tries
  },
} satisfies Readonly<Record<string, Run>>
