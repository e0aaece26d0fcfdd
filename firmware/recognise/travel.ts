import type { Box } from "../ports.ts"
import { areaOf, overlap } from "./edges.ts"

/**
 * Lifeless things that travel are vehicles. A model names what it has never learnt to see so, such as a car from above,
 * after whatever looks like it, a telephone say; and it is as sure of the name as it is that something is there. Of things
 * that no camera looks for, only those that go by themselves count, and what goes by itself without being alive is a
 * vehicle. Furniture stays where it is, and what people carry is left out before (`model/coco.ts`).
 */
export class Travel {
  readonly #minScore: number
  #before: readonly Box[] = []
  /** Wherever there was a thing in this event. */
  #places: readonly Box[] = []

  /** `minScore`: from which on a thing is one that may travel. Where there was less of one, nothing new has come. */
  constructor(minScore: number) {
    this.#minScore = minScore
  }

  /**
   * The next look, in order. `boxes`: the same, with things that travelled as plain vehicles. `earlier`: the same things in
   * the look before, as vehicles, for now one knows. `newcomers`: things that were not there before;
   * the next look will tell.
   */
  look(boxes: readonly Box[]): {
    readonly boxes: readonly Box[]
    readonly earlier: readonly Box[]
    readonly newcomers: readonly Box[]
  } {
    const before = this.#before
    this.#before = boxes.filter(({ thing }) => thing)
    const isSure = (box: Box) => box.score >= this.#minScore
    const isNew = (box: Box) => !this.#places.some((place) => overlap(place, box) > STAYED)
    const fresh = this.#before.filter(isNew)
    this.#places = [...this.#places, ...fresh].slice(-PLACES_MAX)
    const newcomers = fresh.filter(isSure)
    const earlier = new Set<Box>()
    const travelled = new Set<Box>()
    for (const now of newcomers)
      for (const then of before.filter(isSure))
        if (isJourney(then, now) && !this.#before.some((other) => overlap(then, other) > STAYED)) {
          travelled.add(now)
          earlier.add(then)
        }
    return {
      boxes: boxes.map((box) => (travelled.has(box) ? asVehicle(box) : box)),
      earlier: [...earlier].map(asVehicle),
      newcomers: newcomers.filter((box) => !travelled.has(box)),
    }
  }
}

/** Between the middles of two boxes, in pictures; less is a box that trembles. */
const JOURNEY_MIN = 0.08
/** Of two areas: what leaves the picture is cut by its edge. */
const ALIKE = 3
const PLACES_MAX = 200
/** Of intersection over union: it is where it was. */
const STAYED = 0.6

function isJourney(then: Box, now: Box): boolean {
  const across = (now.left + now.right - then.left - then.right) / 2
  const down = (now.top + now.bottom - then.top - then.bottom) / 2
  const [a, b] = [areaOf(then), areaOf(now)]
  return Math.hypot(across, down) >= JOURNEY_MIN && a <= ALIKE * b && b <= ALIKE * a
}

function asVehicle({ score, left, top, right, bottom }: Box): Box {
  return { label: "vehicle", score, left, top, right, bottom }
}
