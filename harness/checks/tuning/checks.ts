import { randomBytes } from "node:crypto"
import { parseConfig } from "../../../firmware/config.ts"
import { sign } from "../../../firmware/control/dsse.ts"
import { publicKeyFromHex, type SigningKey, signingKeyOf } from "../../../firmware/control/keys.ts"
import type { Ownership } from "../../../firmware/control/ownership.ts"
import { Tuning, type TuningOrder } from "../../../firmware/control/tuning.ts"
import type { Box, Label } from "../../../firmware/ports.ts"
import { inPlace } from "../../../firmware/recognise/count.ts"
import type { RecogniseSettings } from "../../../firmware/recognise/settings.ts"
import { virtualClock } from "../../../simulator/clock.ts"
import { MemoryDisk } from "../../../simulator/disk.ts"
import { seededRandom } from "../../../simulator/random.ts"
import { type Run, Tries } from "../check.ts"

const DEVICE = "ab".repeat(20)
const LABELS: readonly Label[] = ["person", "animal", "vehicle"]
const NONE = { person: [], animal: [], vehicle: [] }
const configured = parseConfig().recognise

export const checks = {
  "tuned-by-owner": async () => {
    const tries = new Tries()
    const { owner, tuning, settings } = await camera()
    const order = orderOf(5)
    await tries.refused(() => tuning.command(sign("tuning", order, newKey())), "a stranger's")
    await tries.refused(() => tuning.command(sign("resend", order, owner)), "signed as something else")
    const others = await tuning.command(sign("tuning", { ...order, device: "cd".repeat(20) }, owner))
    tries.is(others.ok, false, "for another camera")
    tries.is(settings.minScore, configured.minScore, "scores after all that")
    tries.is((await tuning.command(sign("tuning", order, owner))).ok, true, "the owner's own")
    tries.is(settings.minScore.person, 0.5, "the score of persons after the owner's own")
    return tries
  },

  "tuned-forwards": async () => {
    const tries = new Tries()
    const { disk, owner, tuning, settings } = await camera()
    await tuning.command(sign("tuning", orderOf(5), owner))
    for (const number of [5, 4, 1]) {
      const old = { ...orderOf(number), shift: { person: 0.3, animal: 0, vehicle: 0 } }
      tries.is((await tuning.command(sign("tuning", old, owner))).ok, false, `number ${number} after 5`)
    }
    tries.is(settings.minScore.person, 0.5, "the score after older words")
    const again = await camera(disk, owner)
    tries.is(again.settings.minScore.person, 0.5, "the score after a restart")
    tries.is((await again.tuning.command(sign("tuning", orderOf(4), owner))).ok, false, "number 4 after it")
    const given = await camera(disk, newKey())
    tries.is(given.settings.minScore, configured.minScore, "scores for the next owner")
    return tries
  },

  "tuned-within-bounds": async () => {
    const tries = new Tries()
    const { owner, tuning, settings } = await camera()
    const all = Array.from({ length: 16 }, (_, spot) => spot)
    const wrong: readonly Partial<TuningOrder>[] = [
      { shift: { person: 0.6, animal: 0, vehicle: 0 } },
      { shift: { person: 0, animal: -0.4, vehicle: 0 } },
      { blind: { ...NONE, person: all } },
      { blind: { ...NONE, vehicle: all.slice(0, 9) } },
      { blind: { ...NONE, person: [1, 1] } },
      { blind: { ...NONE, person: [16] } },
      { number: 0 },
    ]
    for (const part of wrong)
      await tries.refused(
        () => tuning.command(sign("tuning", { ...orderOf(7), ...part }, owner)),
        JSON.stringify(part),
      )
    const half = all.slice(0, 8)
    const most = { person: 0.3, animal: 0.3, vehicle: 0.3 }
    const strictest = { ...orderOf(8), shift: most, blind: { person: half, animal: half, vehicle: half } }
    tries.is(
      (await tuning.command(sign("tuning", strictest, owner))).ok,
      true,
      "the strictest that is allowed",
    )
    for (const label of LABELS) {
      tries.holds(settings.minScore[label] <= 0.9, `${label}: a score of ${settings.minScore[label]}`)
      tries.is(spotsSeen(settings, label), 8, `spots on which ${label} counts`)
    }
    return tries
  },
} satisfies Readonly<Record<string, Run>>

const newKey = () => signingKeyOf(randomBytes(32))
const newDisk = () => new MemoryDisk({ clock: virtualClock(), random: seededRandom(1) })

/** A camera's tuning after a boot: of this owner, with what is on this disk. */
async function camera(disk = newDisk(), owner: SigningKey = newKey()) {
  const ownership = { owner: publicKeyFromHex(owner.hex) } as Ownership
  const tuning = new Tuning({ device: DEVICE, ownership: () => ownership, disk })
  await tuning.read()
  return { disk, owner, tuning, settings: tuning.over(configured) }
}

function orderOf(number: number): TuningOrder {
  return { device: DEVICE, number, shift: { person: 0.1, animal: 0, vehicle: 0 }, blind: NONE }
}

/** On how many of the 16 spots a box of this label counts. */
function spotsSeen(settings: RecogniseSettings, label: Label): number {
  const middles = [0.125, 0.375, 0.625, 0.875]
  const boxes = middles.flatMap((x) =>
    middles.map((y): Box => ({ label, score: 1, left: x - 0.1, right: x + 0.1, top: 0, bottom: y })),
  )
  return inPlace(boxes, settings).length
}
