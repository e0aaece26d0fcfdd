import { randomBytes } from "node:crypto"
import { Fault } from "../../../firmware/errors.ts"
import { pictureSize, stillOf } from "../offering/film-copy.ts"
import type { Staff } from "../staff/registry.ts"
import { ROLES } from "../staff/roles.ts"
import type { Sessions } from "../staff/sessions.ts"
import { isOver, type Purpose } from "./consent.ts"
import type { IntakeParts, LabellingIntake } from "./intake.ts"
import {
  type Dataset,
  datasetName,
  type Item,
  type ItemLabel,
  itemOf,
  LABELS_MAX,
  type Label,
  type Ledger,
  withDataset,
  withLabel,
  withModel,
} from "./ledger.ts"

export type CropArea = Omit<NonNullable<ItemLabel["crop"]>, "id">

export interface WorkplaceParts extends IntakeParts {
  readonly intake: LabellingIntake
  readonly sessions: Sessions
}

/**
 * What a labeller can do: on what is consented to at this moment, and in their own name. What has expired goes before
 * anything else happens. Each use of a clip is recorded in its owner's mailbox before it happens.
 *
 * Every method rejects with Fault "refused", definite: not logged in, another role, or nothing of that name is consented.
 */
export class Workplace {
  readonly #parts: WorkplaceParts

  constructor(parts: WorkplaceParts) {
    this.#parts = parts
  }

  /** What waits for labels, and what has some. */
  async queue(token: string): Promise<readonly Item[]> {
    await this.#labeller(token)
    return (await this.#parts.store.ledger()).items
  }

  /** The film, MP4. Whoever has it can keep it: from here on a consent's end is a promise of this company's. */
  async open(token: string, object: string): Promise<Uint8Array> {
    const staff = await this.#labeller(token)
    const item = await this.#item(object, staff)
    await this.#record(item, staff, "opened")
    return this.#parts.store.film("clips", object)
  }

  /** `area`: in the picture that begins a group, at or after its second; it is kept as a picture of its own. */
  async label(token: string, object: string, label: Label, area: CropArea | null = null): Promise<void> {
    const staff = await this.#labeller(token)
    const { store, now } = this.#parts
    await store.folder.inTurn(async () => {
      const item = await this.#item(object, staff)
      if (item.labels.length >= LABELS_MAX)
        throw new Fault("refused", `a clip has at most ${LABELS_MAX} labels`)
      await this.#record(item, staff, "labelled")
      const crop = area && { ...area, id: randomBytes(16).toString("hex") }
      if (crop) {
        const film = await store.film("clips", object)
        checkWithin(crop, pictureSize(film))
        const { bytes } = stillOf(film, crop.second)
        await store.put("crops", crop.id, await store.sealed(bytes))
      }
      const next = { by: staff.name, at: now(), label, crop }
      await store.keep(withLabel(await store.ledger(), object, next))
    })
  }

  /** A data set of all that is labelled and consented to for `purpose`; in place of one of that name. */
  async export(token: string, name: string, purpose: Purpose): Promise<Dataset> {
    const staff = await this.#labeller(token)
    const { store } = this.#parts
    checkName(name)
    return store.folder.inTurn(async () => {
      const ledger = await store.ledger()
      const items = ledger.items.filter((item) => item.consent.purpose === purpose && item.labels.length > 0)
      if (items.length === 0) throw new Fault("refused", `nothing is labelled and consented to ${purpose}`)
      for (const item of items) await this.#record(item, staff, "exported")
      const dataset: Dataset = { name, purpose, rows: items.flatMap(rowsOf) }
      await store.keep(withDataset(ledger, dataset))
      return dataset
    })
  }

  /** Lists a model with all that it was made of: a data set, and what a model before it was made of. */
  async addModel(token: string, name: string, from: { dataset: string; base: string | null }): Promise<void> {
    await this.#labeller(token)
    const { store } = this.#parts
    checkName(name)
    await store.folder.inTurn(async () => {
      const ledger = await store.ledger()
      const dataset = ledger.datasets.find((each) => each.name === from.dataset)
      const base = from.base === null ? null : ledger.models.find((each) => each.name === from.base)
      if (dataset === undefined || dataset.rows.length === 0) throw new Fault("refused", "no such data set")
      if (dataset.purpose !== "train recognition")
        throw new Fault("refused", `a data set to ${dataset.purpose}: no model is made of it`)
      if (base === undefined) throw new Fault("refused", "no such model to begin with, or it was recalled")
      if (nameIsTaken(ledger, name)) throw new Fault("refused", "there is, or was, a model of that name")
      const objects = new Set([...dataset.rows.map(({ object }) => object), ...(base?.objects ?? [])])
      await store.keep(withModel(ledger, { name, dataset: dataset.name, objects: [...objects] }))
    })
  }

  /** Models with what they were made of, and those that must go. */
  async models(token: string): Promise<Pick<Ledger, "models" | "recalled">> {
    await this.#labeller(token)
    const { models, recalled } = await this.#parts.store.ledger()
    return { models, recalled }
  }

  async #labeller(token: string): Promise<Staff> {
    const { sessions, intake, store, now } = this.#parts
    const staff = await sessions.of(token)
    if (!ROLES[staff.role].labels) {
      await store.note(`refused: the role ${staff.role} does not label`, now())
      throw new Fault("refused", `the role ${staff.role} does not label`)
    }
    await intake.sweep()
    return staff
  }

  async #item(object: string, staff: Staff): Promise<Item> {
    const { store, now } = this.#parts
    const item = itemOf(await store.ledger(), object)
    if (item && !isOver(item.consent, now())) return item
    await store.note(`refused: ${staff.name} asked for what nobody consents to`, now())
    throw new Fault("refused", "nobody consents to this: it is not in the queue, or not any more")
  }

  #record(
    { hash, signer: device, consent }: Item,
    staff: Staff,
    step: "opened" | "labelled" | "exported",
  ): Promise<void> {
    const by = { role: "labelling", key: staff.key.id } as const
    const reason = `to ${consent.purpose}`
    return this.#parts.record({ kind: "labelling", device, by, reason, consent: hash, step })
  }
}

const rowsOf = ({ object, labels }: Item): Dataset["rows"] =>
  labels.map(({ label, crop }) => ({ object, label, crop: crop?.id ?? null }))

function checkWithin({ x, y, width, height }: CropArea, size: ReturnType<typeof pictureSize>): void {
  if (x + width > size.width || y + height > size.height)
    throw new Fault("usage", `the picture has ${size.width} x ${size.height}: an area of it ends within`)
}

const nameIsTaken = ({ models, recalled }: Ledger, name: string): boolean =>
  recalled.includes(name) || models.some((each) => each.name === name)

function checkName(name: string): void {
  if (!datasetName.safeParse(name).success)
    throw new Fault("usage", "a name has a-z, 0-9, dots and dashes, at most 61")
}
