import { readdir, readFile, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { makeFolder } from "../../../hardware/make-folder.ts"
import { LabellingIntake } from "../../../harness/services/labelling/intake.ts"
import { LabellingStore } from "../../../harness/services/labelling/store.ts"
import { Workplace } from "../../../harness/services/labelling/workplace.ts"
import { ServiceFolder } from "../../../harness/services/service-folder.ts"
import { film, otherFilm, Workshop } from "./workshop.ts"

/** Does as many changes as it is told, and of the next one perhaps the half: then the power is gone. */
class CutFolder extends ServiceFolder {
  left = Number.POSITIVE_INFINITY
  done = 0

  override async put(name: string, bytes: Uint8Array): Promise<void> {
    if (this.left === 0) await this.#half(join(this.directory, `${name}.0123.new`), bytes.subarray(0, 200))
    this.#step()
    await super.put(name, bytes)
  }

  override async erase(name: string): Promise<void> {
    this.#step()
    await super.erase(name)
  }

  async #half(path: string, bytes: Uint8Array): Promise<void> {
    await makeFolder(dirname(path))
    await writeFile(path, bytes)
  }

  #step(): void {
    if (this.left-- <= 0) throw new Error("power cut")
    this.done++
  }
}

let shop: Workshop
beforeEach(async () => {
  shop = await Workshop.open()
})
afterEach(() => shop.close())

/** The service as another process has it whose power fails. */
function failing() {
  const folder = new CutFolder(shop.path())
  const store = new LabellingStore(folder)
  const parts = { store, record: shop.log.record, now: () => shop.now }
  const intake = new LabellingIntake(parts)
  return { folder, intake, workplace: new Workplace({ ...parts, intake, sessions: shop.services.sessions }) }
}

const clipsThere = async () => (await readdir(shop.path("clips")).catch(() => [])).sort()

describe("a power cut at each step", () => {
  test("of a withdrawal: it did not happen, or nothing of the clip is left after the next start", async () => {
    const stays = await shop.offer({ film: otherFilm })
    await shop.workplace.label(shop.token, stays, "animal")
    const area = { second: 0, x: 0, y: 0, width: 16, height: 16 }
    let isThrough = false
    for (let steps = 0; !isThrough; steps++) {
      const object = await shop.offer()
      await shop.workplace.label(shop.token, object, "person", area)
      await shop.workplace.export(shop.token, "porches", "train recognition")
      const [item] = (await shop.workplace.queue(shop.token)).filter((each) => each.object === object)
      const { folder, intake } = failing()
      folder.left = steps
      isThrough = await shop.consents.withdraw(object, intake).then(
        () => true,
        () => false,
      )
      await shop.intake.sweep()
      const { items } = await shop.services.labelling.store.ledger()
      if (items.some((each) => each.object === object)) await shop.consents.withdraw(object, shop.intake)
      for (const file of await shop.everyFile())
        for (const trace of [object, item?.hash ?? "?", item?.labels[0]?.crop?.id ?? "?"])
          expect([steps, file.includes(trace), file]).toEqual([steps, false, file])
      expect(await clipsThere()).toEqual([`${stays}.age`])
      expect(steps).toBeLessThan(20)
      // The same film may not come back: the next round is of a service that has forgotten it.
      const ledger = await shop.services.labelling.store.ledger()
      await shop.services.labelling.store.keep({ ...ledger, over: [] })
    }
  }, 30_000)

  test("of an offer or a label: nothing lies there that the ledger does not name", async () => {
    for (const steps of [0, 1]) {
      const { folder, intake } = failing()
      folder.left = steps
      await expect(shop.consents.offer(shop.terms(), await shop.identity(), intake)).rejects.toThrow("power")
      await shop.intake.sweep()
      expect(await clipsThere()).toEqual([])
    }
    const object = await shop.offer()
    for (const steps of [0, 1]) {
      const { folder, workplace } = failing()
      folder.left = steps
      const area = { second: 0, x: 0, y: 0, width: 16, height: 16 }
      await expect(workplace.label(shop.token, object, "person", area)).rejects.toThrow("power")
      await shop.intake.sweep()
      expect(await readdir(shop.path("crops"))).toEqual([])
    }
    expect((await readdir(shop.path(), { recursive: true })).filter((name) => name.endsWith(".new"))).toEqual(
      [],
    )
    expect(await clipsThere()).toEqual([`${object}.age`])
  })
})

test("a full disk: what was withdrawn goes all the same, and so makes room", async () => {
  const object = await shop.offer()
  class FullFolder extends ServiceFolder {
    isFull = true
    override async put(name: string, bytes: Uint8Array): Promise<void> {
      if (this.isFull) throw new Error("no space left")
      await super.put(name, bytes)
    }
    override async erase(name: string): Promise<void> {
      await super.erase(name)
      this.isFull = false
    }
  }
  const store = new LabellingStore(new FullFolder(shop.path()))
  const intake = new LabellingIntake({ store, record: shop.log.record, now: () => shop.now })
  expect(await shop.consents.withdraw(object, intake)).toMatchObject({ object })
  expect(await clipsThere()).toEqual([])
  expect((await store.ledger()).items).toEqual([])
})

describe("two commands at once", () => {
  test("that come first to the service have one key of it", async () => {
    const stores = [1, 2, 3].map(() => new LabellingStore(new ServiceFolder(shop.path("fresh"))))
    const ids = await Promise.all(stores.map(async (store) => (await store.keys()).id))
    expect(new Set(ids).size).toBe(1)
  })

  test("that label one clip both have their label kept", async () => {
    const object = await shop.offer()
    const others = [shop.open(), shop.open()]
    await Promise.all(others.map(({ labelling }) => labelling.workplace.label(shop.token, object, "person")))
    expect((await shop.workplace.queue(shop.token))[0]?.labels).toHaveLength(2)
  })
})

test("a service that has lost its key makes no other: it would not know again what was withdrawn", async () => {
  await shop.consents.withdraw(await shop.offer(), shop.intake)
  const keys = await readFile(shop.path("keys.json"))
  await shop.services.labelling.store.folder.erase("keys.json")
  await expect(shop.offer()).rejects.toMatchObject({ kind: "malformed" })
  await writeFile(shop.path("keys.json"), keys)
  const { envelope, file } = await shop.byHand(film)
  await expect(shop.intake.offer(envelope, file)).rejects.toThrow("do not come back")
})
