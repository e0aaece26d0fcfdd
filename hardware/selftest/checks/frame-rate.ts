import { type Check, type Finding, judged } from "../check.ts"

/** Of what was asked for. Five seconds at 15 pictures a second count to 1.3 %; the rest is how pipes deliver. */
const TOLERANCE = 0.1

/** Pictures come as often as was asked for. Long exposures in the dark make them fewer. */
export const frameRate: Check = {
  name: "frame rate",
  mandatory: true,
  async run({ world, lens }): Promise<Finding> {
    const asked = world.config.lens.framesPerSecond
    const { framesPerSecond } = await lens.stream()
    const measured = Math.round(framesPerSecond * 10) / 10
    const limits = {
      framesPerSecondMin: asked * (1 - TOLERANCE),
      framesPerSecondMax: asked * (1 + TOLERANCE),
    }
    const is = `${measured} frames a second, ${asked} asked for`
    const isOff = framesPerSecond < limits.framesPerSecondMin || framesPerSecond > limits.framesPerSecondMax
    const advice = framesPerSecond < asked ? ": more light, or a board that is not busy or hot" : ""
    return judged([isOff ? is + advice : null], is, { framesPerSecond: measured }, limits)
  },
}
