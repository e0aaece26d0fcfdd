import { afterEach, expect, vi } from "vitest"
import { promise } from "./live/promise.ts"

afterEach(() => {
  vi.useRealTimers()
})

const LIGHT = "firmware/pins/light.ts"

promise(
  "a recording light that goes out ends the clip, which is kept; the next begins when it can be lit again",
  async ({ LiveRig }) => {
    const rig = await LiveRig.start()
    rig.visitor.moves(true)
    await rig.later(4_000)
    expect(rig.visitor.seesLight).toBe(true)
    rig.board.pins.breakPin(rig.config.pins.light)
    await rig.later(1_000)
    const sealed = rig.count("object sealed")
    await rig.later(15_000)
    expect(rig.count("object sealed")).toBe(sealed)
    expect([rig.count("clip opened"), rig.count("clip recorded"), rig.count("clip lost")]).toEqual([1, 1, 0])
    expect(rig.lines.find(({ event }) => event === "clip recorded")).toMatchObject({
      segments: expect.any(Number),
    })
    expect(rig.lines.find(({ event }) => event === "fault")).toMatchObject({ where: "light" })
    const clip = rig.lines.find((line) => line.event === "clip recorded")
    expect(clip?.segments).toBeGreaterThan(1)
    expect(rig.disk.count("object.")).toBe(clip?.objects)

    rig.board.pins.mendPin(rig.config.pins.light)
    await rig.later(3_000)
    expect(rig.count("clip opened")).toBe(2)
    expect(rig.visitor.seesLight).toBe(true)
    rig.visitor.moves(false)
    await rig.later(5_000)
    expect(rig.count("clip recorded")).toBe(2)
    expect(rig.visitor.seesLight).toBe(false)
    await rig.stop()
  },
  {
    "does not hear of it": { path: LIGHT, from: "if (pin === this.#pin) this.#lose()", to: "" },
    "tells nobody": { path: LIGHT, from: "      hold.onLost()\n", to: "" },
    "records on in the dark": {
      path: "firmware/recorder.ts",
      from: "      end()\n    }\n    const dark",
      to: "    }\n    const dark",
    },
  },
)
