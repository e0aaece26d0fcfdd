import { randomBytes } from "node:crypto"
import { afterEach, expect, vi } from "vitest"
import { sign } from "../../../firmware/control/dsse.ts"
import { signingKeyOf } from "../../../firmware/control/keys.ts"
import type { TuningOrder } from "../../../firmware/control/tuning.ts"
import { promise } from "./promise.ts"
import type { LiveRig } from "./rig.ts"

afterEach(() => {
  vi.useRealTimers()
})

const tuned = (rig: LiveRig, number: number, owner = rig.owner) => {
  const none = { person: [], animal: [], vehicle: [] }
  const shift = { person: 0.1, animal: 0, vehicle: 0 }
  const order: TuningOrder = { device: rig.camera.id, number, shift, blind: none }
  return sign("tuning", order, owner)
}

promise(
  "a camera is tuned by its owner's signature alone, and not backwards, also after a restart",
  async ({ LiveRig }) => {
    const rig = await LiveRig.start()
    const stranger = signingKeyOf(randomBytes(32))
    expect((await rig.order(tuned(rig, 9, stranger)))?.result).toBe("refused")
    expect(await rig.order(tuned(rig, 3))).toMatchObject({ result: "done", reason: "tuned, number 3" })
    expect((await rig.order(tuned(rig, 2)))?.result).toBe("refused")
    await rig.stop()
    rig.boot()
    await rig.later(2_000)
    expect((await rig.order(tuned(rig, 3)))?.reason).toBe("number 3 is not above 3")
    await rig.stop()
  },
  {
    "does not read what it was told": {
      path: "firmware/camera.ts",
      from: "await tuning.read()",
      to: "",
    },
  },
)
