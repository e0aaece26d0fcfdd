import { componentsOn } from "../../../firmware/pins/components.ts"
import { Light } from "../../../firmware/pins/light.ts"
import type { Check, Finding } from "../check.ts"
import { followsPattern } from "./light-pattern.ts"

/** The light without which the firmware records nothing, by the firmware's own hand. */
export const recordingLight: Check = {
  name: "recording light",
  mandatory: false,
  within: 120_000,
  async run(jig): Promise<Finding> {
    const { world } = jig
    const io = world.pins()
    const { pins } = world.config
    const light = new Light((await componentsOn(io, pins)).light, io, pins.light, { write: () => undefined })
    let release: () => void = () => undefined
    const set = async (on: boolean) => {
      release()
      release = on ? await light.hold("self-test") : () => undefined
      await io.driven(pins.light)
    }
    try {
      return await followsPattern(jig, { name: "recording light", pin: pins.light, set })
    } finally {
      light.close()
    }
  },
}
