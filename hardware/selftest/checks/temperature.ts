import { type Check, type Finding, judged, skipped } from "../check.ts"

/** A Pi slows itself down from 80 °C on. */
const CELSIUS_MAX = 75

/** Under the load of this test, for it comes late in it. */
export const temperature: Check = {
  name: "temperature",
  mandatory: false,
  async run({ world }): Promise<Finding> {
    const { temperatureCelsius } = await world.health.read()
    if (temperatureCelsius === null) return skipped("this kernel tells no temperature")
    const is = `${temperatureCelsius.toFixed(1)} °C`
    return judged(
      [
        temperatureCelsius > CELSIUS_MAX
          ? `hot: ${is}, ${CELSIUS_MAX} °C at most: a heat sink, or more air`
          : null,
      ],
      is,
      { temperatureCelsius },
      { temperatureCelsiusMax: CELSIUS_MAX },
    )
  },
}
