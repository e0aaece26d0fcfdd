import { componentsOn } from "../../../firmware/pins/components.ts"
import { type Check, type Finding, skipped } from "../check.ts"
import { followsPattern } from "./light-pattern.ts"

export const statusLight: Check = {
  name: "status light",
  mandatory: false,
  within: 120_000,
  async run(jig): Promise<Finding> {
    const { pins } = jig.world.config
    const pin = pins.status
    if (pin === undefined) return skipped("the settings have no pin for one (camera.pins.status)")
    const io = jig.world.pins()
    const { status } = await componentsOn(io, pins)
    const set = async (on: boolean) => {
      if (on) status?.on()
      else status?.off()
      await io.driven(pin)
    }
    return followsPattern(jig, { name: "status light", pin, set })
  },
}
