import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { sha256Hex } from "../../../firmware/control/keys.ts"
import { readFmp4 } from "../../../harness/owner/fmp4.ts"
import { LogMemory } from "../../../harness/owner/log-memory.ts"
import { keepSwept } from "../../../harness/services/sweeping.ts"
import { CANARY } from "./clips.ts"
import { CAMERA, clip, DAY, film, keys, otherFilm, refusal, Workshop } from "./workshop.ts"

let shop: Workshop
beforeEach(async () => {
  shop = await Workshop.open()
})
afterEach(() => shop.close())

describe("a consented clip", () => {
  test("is looked at, labelled, exported and listed with the model, and each use is recorded", async () => {
    const object = await shop.offer()
    expect((await shop.workplace.queue(shop.token)).map((item) => item.object)).toEqual([object])
    expect(sha256Hex(await shop.workplace.open(shop.token, object))).toBe(sha256Hex(film))
    await shop.workplace.label(shop.token, object, "person", {
      second: 1,
      x: 10,
      y: 20,
      width: 100,
      height: 200,
    })
    const dataset = await shop.workplace.export(shop.token, "porches", "train recognition")
    expect(dataset.rows).toMatchObject([{ object, label: "person", crop: expect.any(String) }])
    await shop.workplace.addModel(shop.token, "net-1", { dataset: "porches", base: null })
    await shop.workplace.addModel(shop.token, "net-2", { dataset: "porches", base: "net-1" })
    expect((await shop.workplace.models(shop.token)).models.map(({ name }) => name)).toEqual([
      "net-1",
      "net-2",
    ])
    expect(shop.log.of(shop.mailboxOf(object))).toEqual([
      "consent given",
      "labelling opened",
      "labelling labelled",
      "labelling exported",
    ])
    const [expected] = await new LogMemory(join(shop.folder, "owner")).expected(shop.mailboxOf(object))
    const given = shop.log.all.find(({ kind }) => kind === "consent")
    expect(expected).toBe(`consent ${given?.kind === "consent" ? given.consent : ""}`)
  })

  test.each(["withdrawn", "expired"])(
    "%s: clip, crops, labels, rows and listings go, and the models are named",
    async (how) => {
      const object = await shop.offer()
      const stays = await shop.offer({ film: otherFilm, expires: shop.now + 30 * DAY })
      for (const each of [object, stays])
        await shop.workplace.label(shop.token, each, "person", {
          second: 0,
          x: 0,
          y: 0,
          width: 16,
          height: 16,
        })
      const crop = (await shop.workplace.queue(shop.token))[0]?.labels[0]?.crop?.id ?? ""
      await shop.workplace.export(shop.token, "porches", "train recognition")
      await shop.workplace.addModel(shop.token, "net-1", { dataset: "porches", base: null })
      await shop.workplace.addModel(shop.token, "net-2", { dataset: "porches", base: "net-1" })
      const consent = shop.log.all.find(
        (each) => each.device === shop.mailboxOf(object) && each.kind === "consent",
      )
      if (how === "expired") shop.now += 8 * DAY
      const [removal] =
        how === "expired" ? await shop.intake.sweep() : [await shop.consents.withdraw(object, shop.intake)]
      expect(removal).toMatchObject({
        object,
        labels: 1,
        crops: [crop],
        rows: { porches: 1 },
        models: ["net-1", "net-2"],
      })
      for (const file of await shop.everyFile())
        for (const trace of [object, crop, consent?.kind === "consent" ? consent.consent : "?"])
          expect(file).not.toContain(trace)
      expect(shop.log.of(shop.mailboxOf(object)).at(-1)).toBe("labelling removed")
      shop.now -= how === "expired" ? 8 * DAY : 0
      shop.token = await shop.login("max")
      expect((await shop.workplace.queue(shop.token)).map((item) => item.object)).toEqual([stays])
      expect(await shop.workplace.models(shop.token)).toEqual({ models: [], recalled: ["net-1", "net-2"] })
      for (const use of [
        () => shop.workplace.open(shop.token, object),
        () => shop.workplace.label(shop.token, object, "person"),
      ])
        await expect(use()).rejects.toMatchObject(refusal("nobody consents"))
      await expect(
        shop.workplace.addModel(shop.token, "net-3", { dataset: "porches", base: "net-1" }),
      ).rejects.toMatchObject(refusal("recalled"))
      expect((await shop.workplace.export(shop.token, "porches", "train recognition")).rows).toHaveLength(1)
    },
  )

  test("that has expired is in nobody's queue, and cannot be opened, even if nobody swept", async () => {
    const object = await shop.offer({ expires: shop.now + 60_000 })
    shop.now += 60_000
    await expect(shop.workplace.open(shop.token, object)).rejects.toMatchObject(refusal("nobody consents"))
    expect(await shop.workplace.queue(shop.token)).toEqual([])
  })

  test("that has expired goes while a cloud runs, though nobody works and nobody asks", async () => {
    shop.now = Date.now() - 8 * DAY
    await shop.offer({ expires: shop.now + DAY })
    const faults: unknown[] = []
    const logged = { append: (record: never) => shop.log.record(record) }
    await keepSwept(shop.folder, logged as never, (error) => faults.push(error))()
    expect((await shop.services.labelling.store.ledger()).items).toEqual([])
    expect(await readdir(shop.path("clips"))).toEqual([])
    expect(faults).toEqual([])
  })

  test("is used for its purpose and for no other", async () => {
    await shop.workplace.label(shop.token, await shop.offer({ purpose: "measure recognition" }), "animal")
    await expect(shop.workplace.export(shop.token, "set", "train recognition")).rejects.toMatchObject(
      refusal("nothing is labelled"),
    )
    expect((await shop.workplace.export(shop.token, "set", "measure recognition")).rows).toHaveLength(1)
  })

  test("leaves as an object that shares nothing with the clip but what can be seen", async () => {
    const object = await shop.offer()
    const file = await readFile(join(shop.folder, "services", "labelling", "clips", `${object}.age`))
    const copy = Buffer.from(await shop.workplace.open(shop.token, object))
    expect([clip, copy].map((each) => Buffer.from(each).includes(CANARY))).toEqual([true, false])
    const pictures = (bytes: Uint8Array) =>
      readFmp4(bytes).samples.map(({ nals }) =>
        sha256Hex(...nals.filter((nal) => [1, 5].includes((nal[0] ?? 0) % 32))),
      )
    expect(pictures(copy)).toEqual(pictures(clip))
    expect(Math.log2(copy.length) % 1).toBe(0)
    const held = JSON.stringify(shop.log.all) + (await shop.everyFile()).join() + file.toString("latin1")
    expect(held).not.toContain(CAMERA)
    expect(held).not.toContain(keys.signingKeyFor(CAMERA).hex)
  })
})
