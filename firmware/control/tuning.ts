import { z } from "zod"
import { isFault } from "../errors.ts"
import type { Outcome } from "../live/live-view.ts"
import type { Disk, Label } from "../ports.ts"
import type { RecogniseSettings } from "../recognise/settings.ts"
import { verify } from "./dsse.ts"
import type { Ownership } from "./ownership.ts"
import { deviceId } from "./protocol.ts"

/**
 * What an owner has learnt of one camera by marking its verdicts: a little more or less of a score for each label, and spots
 * where a label is never right. Numbers without a picture; whoever carries them can read them. Bounded, so that no signed
 * word makes a camera blind or have it keep everything, and it changes nothing but what is worth a clip.
 */

export const SHIFT_MIN = -0.15
export const SHIFT_MAX = 0.3
/** A picture has 4 x 4 spots, row by row from the top left. */
export const SPOTS_ACROSS = 4
const SPOTS = SPOTS_ACROSS * SPOTS_ACROSS
/** Of one label: it counts in half the picture at least. */
export const BLIND_SPOTS_MAX = SPOTS / 2
/** Scores stay within this, whatever the shifts. */
const SCORE_MIN = 0.2
const SCORE_MAX = 0.9

const shift = z.number().min(SHIFT_MIN).max(SHIFT_MAX)
const spots = z
  .array(
    z
      .int()
      .min(0)
      .max(SPOTS - 1),
  )
  .max(BLIND_SPOTS_MAX)
  .refine((all) => new Set(all).size === all.length, "a spot twice")

/** By the owner's key. */
export const tuningShape = z.strictObject({
  device: deviceId,
  /** Only rises. */
  number: z.int().min(1),
  /** Added to the configured scores. */
  shift: z.strictObject({ person: shift, animal: shift, vehicle: shift }),
  /** Where a label does not count. Has no effect where zones are configured: those were drawn by hand. */
  blind: z.strictObject({ person: spots, animal: spots, vehicle: spots }),
})
export type TuningOrder = z.infer<typeof tuningShape>

const NAME = "tuning"

export interface TuningParts {
  readonly device: string
  readonly ownership: () => Ownership
  readonly disk: Pick<Disk, "private">
}

/** Keeps the owner's newest tuning, and lays it over the configured settings. It outlives power cuts. */
export class Tuning {
  readonly #parts: TuningParts
  #order: TuningOrder | null = null

  constructor(parts: TuningParts) {
    this.#parts = parts
  }

  /** Reads what an earlier boot was told; what is no word of this owner's for this camera is nothing. */
  async read(): Promise<void> {
    const stored = await this.#parts.disk.private.get(NAME)
    if (!stored) return
    try {
      this.#order = this.#verified(stored)
    } catch (error) {
      // Another owner's, from before the camera was given away, or damaged: the configuration stands.
      if (!isFault(error) || error.kind === "broken") throw error
    }
  }

  /** The owner's command. Durable before it counts. @throws as `verify`. */
  async command(envelope: Uint8Array): Promise<Outcome> {
    const order = this.#verified(envelope)
    if (order === null) return { ok: false, reason: "meant for another camera" }
    const newest = this.#order?.number ?? 0
    if (order.number <= newest) return { ok: false, reason: `number ${order.number} is not above ${newest}` }
    await this.#parts.disk.private.put(NAME, [envelope])
    this.#order = order
    return { ok: true, reason: `tuned, number ${order.number}` }
  }

  /** `settings` as they are tuned whenever they are looked at. */
  over(settings: RecogniseSettings): RecogniseSettings {
    let last: { readonly order: TuningOrder; readonly tuned: Tuned } | null = null
    const now = (): Tuned => {
      const order = this.#order
      if (!order) return settings
      if (last?.order !== order) last = { order, tuned: tunedBy(order, settings) }
      return last.tuned
    }
    return {
      ...settings,
      get minScore() {
        return now().minScore
      },
      get zones() {
        return now().zones
      },
    }
  }

  #verified(envelope: Uint8Array): TuningOrder | null {
    const { device, ownership } = this.#parts
    const order = verify("tuning", envelope, ownership().owner, tuningShape)
    return order.device === device ? order : null
  }
}

type Tuned = Pick<RecogniseSettings, "minScore" | "zones">

function tunedBy(order: TuningOrder, settings: RecogniseSettings): Tuned {
  const of = (label: Label) =>
    Math.min(SCORE_MAX, Math.max(SCORE_MIN, settings.minScore[label] + order.shift[label]))
  const minScore = { person: of("person"), animal: of("animal"), vehicle: of("vehicle") }
  return { minScore, zones: zonesOf(settings, order) }
}

/** Squares for the spots that count, each with the labels that do there. */
function zonesOf({ zones, labels }: RecogniseSettings, { blind }: TuningOrder): RecogniseSettings["zones"] {
  if (zones.length > 0 || labels.every((label) => blind[label].length === 0)) return zones
  return Array.from({ length: SPOTS }, (_, spot) => {
    const [left, top] = [(spot % SPOTS_ACROSS) / SPOTS_ACROSS, Math.floor(spot / SPOTS_ACROSS) / SPOTS_ACROSS]
    const [right, bottom] = [left + 1 / SPOTS_ACROSS, top + 1 / SPOTS_ACROSS]
    const corners: [number, number][] = [
      [left, top],
      [right, top],
      [right, bottom],
      [left, bottom],
    ]
    return { corners, labels: labels.filter((label) => !blind[label].includes(spot)) }
  }).filter((zone) => zone.labels.length > 0)
}
