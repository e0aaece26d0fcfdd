import type { Label } from "../../ports.ts"

/** How many classes a model of COCO's objects tells apart, in COCO's usual order. */
export const COCO_CLASSES = 80

const PERSON = 0
/** bicycle, car, motorcycle, airplane, bus, train, truck, boat */
const VEHICLES = { first: 1, last: 8 }
/** bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe */
const ANIMALS = { first: 14, last: 23 }

/** Backpack to tennis racket: what people wear, carry, ride and throw, and which goes where they go. */
const CARRIED = { first: 24, last: 38 }

/** What a box of a class is to a camera; null: nothing. `thing`: as of a box in `ports.ts`. */
export function kindOf(cocoClass: number): { readonly label: Label; readonly thing?: true } | null {
  const label = labelOf(cocoClass)
  if (label) return { label }
  return isIn(CARRIED, cocoClass) ? null : { label: "vehicle", thing: true }
}

/** What a camera calls a class; null: nothing that it looks for, such as a bench. */
export function labelOf(cocoClass: number): Label | null {
  if (cocoClass === PERSON) return "person"
  if (isIn(VEHICLES, cocoClass)) return "vehicle"
  return isIn(ANIMALS, cocoClass) ? "animal" : null
}

function isIn({ first, last }: { readonly first: number; readonly last: number }, value: number): boolean {
  return value >= first && value <= last
}
