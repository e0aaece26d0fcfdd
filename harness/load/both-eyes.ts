import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { parseConfig } from "../../firmware/config.ts"
import { Fault } from "../../firmware/errors.ts"
import { differences, type SeenFootage } from "../../simulator/seen.ts"
import type { Scenario } from "../scenario/scenario.ts"
import { differenceLine, differencesCsv, lookThrough } from "./look-through.ts"
import { footageOf } from "./plan.ts"

/** What a real model says of a fleet's footage, and where that is not its truth. */
export interface BothEyes {
  readonly seen: SeenFootage
  /** Writes all differences to eyes.csv in a run's folder, and says the first of them. */
  tell(directory: string): Promise<string>
}

const LINES_MAX = 20

/**
 * For eyes "both"; null: the scenario has others.
 * @throws Fault "usage": a film knows no truth; as `lookThrough`.
 */
export async function bothEyes(scenario: Scenario, seed: number): Promise<BothEyes | null> {
  const { eyes, model, scene } = scenario.fleet
  if (eyes !== "both" || model === null) return null
  if (scene !== null)
    throw new Fault("usage", 'fleet.eyes "both" compares with a truth, and a film has none: take "model"')
  const footages = await footageOf(scenario, seed)
  const different = [...new Map(footages.map((footage) => [footage.name, footage])).values()]
  const seen = await lookThrough(different, model, new AbortController().signal)
  const { minScore } = parseConfig().recognise
  const all = different.flatMap((footage) => differences(footage, seen[footage.name] ?? [], minScore))
  const asked = different.reduce((sum, { groups }) => sum + groups.length, 0)
  return {
    seen,
    async tell(directory) {
      await writeFile(join(directory, "eyes.csv"), differencesCsv(all))
      const more = all.length > LINES_MAX ? [`  and ${all.length - LINES_MAX} more, in eyes.csv`] : []
      return [
        `The model says what is true of ${asked - all.length} of ${asked} key frames.`,
        ...all.slice(0, LINES_MAX).map((each) => `  ${differenceLine(each)}`),
        ...more,
      ].join("\n")
    },
  }
}
