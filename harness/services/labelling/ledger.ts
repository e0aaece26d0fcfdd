import { z } from "zod"
import { deviceId, objectId, sha256 } from "../../../firmware/control/protocol.ts"
import type { UnixMilliseconds } from "../../../firmware/units.ts"
import { staffName } from "../staff/registry.ts"
import { consentShape, isOver, PURPOSES } from "./consent.ts"

/**
 * What the labelling service knows, and how the one hangs on the other: an item by its consent, crops and labels by the
 * item, rows of data sets by items, models by data sets. So what a consent carried can be found when it ends. Changes are
 * pure.
 */
export const LABELS = ["person", "animal", "vehicle", "nothing"] as const
export type Label = (typeof LABELS)[number]
export const datasetName = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,60}$/, "a name of a-z, 0-9, . and -")

/** Of one clip: a ledger with more would not be read again. */
export const LABELS_MAX = 1_000
/** Of withdrawals without a clip; the oldest go first. */
const BARRED_MAX = 100_000

const cropShape = z.strictObject({
  id: objectId,
  /** Which key frame, and where in it. */
  second: z.number().min(0),
  x: z.int().min(0),
  y: z.int().min(0),
  width: z.int().min(1),
  height: z.int().min(1),
})
const labelShape = z.strictObject({
  by: staffName,
  at: z.number(),
  label: z.enum(LABELS),
  crop: cropShape.nullable(),
})
const itemShape = z.strictObject({
  object: objectId,
  consent: consentShape,
  /** SHA-256 of the signed consent. */
  hash: sha256,
  /** The id of the key that signed it. */
  signer: deviceId,
  /** Of each picture that begins a group: keyed digests, so that the same film is known when it comes again. */
  pictures: z.array(sha256),
  labels: z.array(labelShape).max(LABELS_MAX),
})
const datasetShape = z.strictObject({
  name: datasetName,
  purpose: z.enum(PURPOSES),
  rows: z.array(z.strictObject({ object: objectId, label: z.enum(LABELS), crop: objectId.nullable() })),
})
const modelShape = z.strictObject({
  name: datasetName,
  dataset: datasetName,
  /** Everything it was made of. */
  objects: z.array(objectId),
})

export const ledgerShape = z.strictObject({
  format: z.literal(1),
  items: z.array(itemShape),
  datasets: z.array(datasetShape),
  models: z.array(modelShape),
  /** Models that must go, by name: something that they were made of has gone. Of what it was, nothing is said. */
  recalled: z.array(datasetName),
  /** Keyed digests of consents and pictures that are over: they are refused when they come again. They open nothing. */
  over: z.array(sha256),
  /** Keyed digests of withdrawals of what is not here, for it may be on its way. */
  barred: z.array(sha256).max(BARRED_MAX).default([]),
})
export type Ledger = z.infer<typeof ledgerShape>
export type Item = z.infer<typeof itemShape>
export type ItemLabel = z.infer<typeof labelShape>
export type Dataset = z.infer<typeof datasetShape>

export const EMPTY_LEDGER: Ledger = {
  ...{ format: 1, items: [], datasets: [], models: [], recalled: [], over: [], barred: [] },
}

/** What went with one consent. */
export interface Removal {
  readonly object: string
  readonly consent: string
  readonly signer: string
  readonly labels: number
  readonly crops: readonly string[]
  /** By data set. */
  readonly rows: Readonly<Record<string, number>>
  /** That were made with it, and must go. */
  readonly models: readonly string[]
}

export const itemOf = (ledger: Ledger, object: string): Item | undefined =>
  ledger.items.find((item) => item.object === object)

export function withLabel(ledger: Ledger, object: string, label: ItemLabel): Ledger {
  const items = ledger.items.map((item) =>
    item.object === object ? { ...item, labels: [...item.labels, label] } : item,
  )
  return { ...ledger, items }
}

/** Of one name there is one; a new one takes its place. */
export function withDataset(ledger: Ledger, dataset: Dataset): Ledger {
  return { ...ledger, datasets: [...ledger.datasets.filter(({ name }) => name !== dataset.name), dataset] }
}

export function withModel(ledger: Ledger, model: Ledger["models"][number]): Ledger {
  return { ...ledger, models: [...ledger.models, model] }
}

/** Nothing that was made of `item` is left; `over`: what is kept so that it does not come again. */
export function without(
  ledger: Ledger,
  item: Item,
  over: readonly string[],
): { readonly next: Ledger; readonly removal: Removal } {
  const { object, hash, signer, labels } = item
  const hasIt = ({ objects }: Ledger["models"][number]) => objects.includes(object)
  const models = ledger.models.filter(hasIt).map(({ name }) => name)
  const rowsOf = ({ rows }: Dataset) => rows.filter((row) => row.object === object).length
  const touched = ledger.datasets.filter((dataset) => rowsOf(dataset) > 0)
  return {
    next: {
      ...ledger,
      items: ledger.items.filter((each) => each.object !== object),
      datasets: ledger.datasets.map((dataset) => ({
        ...dataset,
        rows: dataset.rows.filter((row) => row.object !== object),
      })),
      models: ledger.models.filter((model) => !hasIt(model)),
      recalled: [...new Set([...ledger.recalled, ...models])],
      over: [...new Set([...ledger.over, ...over])],
    },
    removal: {
      ...{ object, consent: hash, signer, labels: labels.length, models },
      crops: labels.flatMap(({ crop }) => (crop ? [crop.id] : [])),
      rows: Object.fromEntries(touched.map((dataset) => [dataset.name, rowsOf(dataset)])),
    },
  }
}

/** What was withdrawn before it came does not come. */
export const withBarred = (ledger: Ledger, withdrawal: string): Ledger => ({
  ...ledger,
  barred: [...ledger.barred.filter((each) => each !== withdrawal), withdrawal].slice(-BARRED_MAX),
})

/** Whose consent is over at `now`. */
export const expiredIn = ({ items }: Ledger, now: UnixMilliseconds): readonly Item[] =>
  items.filter(({ consent }) => isOver(consent, now))
