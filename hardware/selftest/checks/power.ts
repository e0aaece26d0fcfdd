import { type Check, type Finding, judged, skipped } from "../check.ts"

/** The power supply holds, and the board is not throttled. */
export const power: Check = {
  name: "power",
  mandatory: false,
  async run({ world }): Promise<Finding> {
    const { undervoltage, throttled } = await world.health.read()
    if (undervoltage === null && throttled === null)
      return skipped("this kernel tells neither undervoltage nor throttling")
    return judged(
      [
        undervoltage ? "undervoltage: a stronger power supply, or a shorter cable" : null,
        throttled ? "throttled: too little power, or too hot" : null,
      ],
      [undervoltage === false ? "voltage fine" : null, throttled === false ? "not throttled" : null]
        .filter((fact) => fact !== null)
        .join(", "),
      { undervoltage, throttled },
      { undervoltage: false, throttled: false },
    )
  },
}
