import { describe, expect, test } from "vitest"
import { parseConfig } from "../../../firmware/config.ts"
import { NOBODY } from "../../../firmware/recognise/count.ts"
import { type Outcome, Vote } from "../../../firmware/recognise/vote.ts"
import { mutant } from "../../mutants.ts"

const { recognise } = parseConfig({ recognise: { minScore: { person: 0.5, animal: 0.4, vehicle: 0.4 } } })
const nobody = NOBODY
const person = { ...NOBODY, person: 0.8 }
const faint = { ...NOBODY, person: 0.3 }
const dog = { ...NOBODY, animal: 0.6 }

/** What is said after each look. */
function said(looks: readonly (typeof nobody)[], kind: typeof Vote = Vote): (Outcome | null)[] {
  const vote = new kind(recognise)
  return looks.map((scores) => vote.add(scores))
}

const kept = (label: string) => ({ keep: true, label })
const dropped = { keep: false }

describe("a vote over three frames", () => {
  test("keeps what two of the last three show, as soon as they do", () => {
    expect(said([person, person])).toEqual([null, kept("person")])
    expect(said([person, nobody, person])).toEqual([null, null, kept("person")])
    expect(said([nobody, person, nobody, person]).at(-1)).toEqual(kept("person"))
  })

  test("drops after three looks at the earliest, and only if the last two show nobody", () => {
    expect(said([nobody, nobody, nobody])).toEqual([null, null, dropped])
    expect(said([person, nobody, nobody])).toEqual([null, null, dropped])
    expect(said([nobody, nobody, person])).toEqual([null, null, null])
    expect(said([nobody, person, nobody, nobody])).toEqual([null, null, null, dropped])
  })

  test("hears no score below its label's", () => {
    expect(said([faint, faint, faint]).at(-1)).toEqual(dropped)
    expect(said([dog, dog]).at(-1)).toEqual(kept("animal"))
  })

  test("keeps somebody whose label the frames do not agree on, as what they show most", () => {
    expect(said([person, dog])).toEqual([null, kept("person")])
    expect(said([{ ...person, animal: 0.7 }, dog]).at(-1)).toEqual(kept("animal"))
  })

  test("says the median of each label's scores", () => {
    const vote = new Vote(recognise)
    for (const score of [0.9, 0.1, 0.6, 0.7]) vote.add({ ...NOBODY, vehicle: score })
    expect(vote.medians).toEqual({ person: 0, animal: 0, vehicle: 0.6 })
  })

  test("at the end drops what two looks showed nobody of, and nothing that was seen at all", () => {
    const concluded = (looks: readonly (typeof nobody)[]) => {
      const vote = new Vote(recognise)
      for (const scores of looks) vote.add(scores)
      return vote.conclude()
    }
    expect(concluded([nobody, nobody])).toEqual(dropped)
    expect(concluded([nobody])).toBeNull()
    expect(concluded([nobody, person])).toBeNull()
    expect(concluded([])).toBeNull()
  })

  test("that took one look for a verdict would be found out", async () => {
    const hasty = await mutant<typeof import("../../../firmware/recognise/vote.ts")>(
      "firmware/recognise/vote.ts",
      { path: "firmware/recognise/vote.ts", from: "const ENOUGH = 2", to: "const ENOUGH = 1" },
    )
    expect(said([person], hasty.Vote)).toEqual([kept("person")])
    expect(said([nobody, person, nobody], hasty.Vote)).not.toEqual([null, null, null])
  })
})
