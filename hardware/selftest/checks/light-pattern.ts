import type { Random } from "../../../firmware/ports.ts"
import { type Milliseconds, seconds } from "../../../firmware/units.ts"
import { type Finding, fail, type Jig, pass, skipped } from "../check.ts"

/** Somebody who guesses passes one time in thirty; who always says yes, or always no, never. */
const ROUNDS = 5
const ANSWER_WITHIN: Milliseconds = seconds(20)

/** A light on one pin. */
export interface TriedLight {
  readonly name: string
  readonly pin: number
  /** Resolves when it is on the wire. @throws Fault "unavailable": it cannot be driven. */
  set(on: boolean): Promise<void>
}

/** Does somebody see the light follow? Dark afterwards. */
export async function followsPattern({ world, operator, signal }: Jig, light: TriedLight): Promise<Finding> {
  try {
    if (!operator) {
      await light.set(true)
      await light.set(false)
      return skipped(`nobody looks at it (--no-operator); GPIO ${light.pin} could be driven`)
    }
    const pattern = patternOf(ROUNDS, world.random)
    let right = 0
    for (const [round, on] of pattern.entries()) {
      await light.set(on)
      const question = `${round + 1} of ${ROUNDS}: is the ${light.name} on?`
      const answer = await operator.ask(question, ANSWER_WITHIN, signal)
      if (answer === null) return fail(`no answer within ${ANSWER_WITHIN / 1_000} s: is it on?`)
      if (answer === on) right++
    }
    const facts = [{ rightAnswers: right }, { rightAnswersMin: ROUNDS }] as const
    return right === ROUNDS
      ? pass(`seen to follow ${ROUNDS} times`, ...facts)
      : fail(
          `seen to follow ${right} times of ${ROUNDS}: check the wire at GPIO ${light.pin}, the light's direction and resistor`,
          ...facts,
        )
  } finally {
    await light.set(false)
  }
}

/** Random, but never all on or all off. */
export function patternOf(rounds: number, random: Random): readonly boolean[] {
  const pattern = Array.from({ length: rounds }, () => random.next() < 0.5)
  const odd = Math.floor(random.next() * rounds)
  if (pattern.every((on) => on === pattern[0])) pattern[odd] = !pattern[odd]
  return pattern
}
