import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { LogMemory } from "../../../harness/owner/log-memory.ts"
import { signWithdrawal } from "../../../harness/services/labelling/consent.ts"
import { itemOf, LABELS_MAX } from "../../../harness/services/labelling/ledger.ts"
import { filmCopy } from "../../../harness/services/offering/film-copy.ts"
import { hire } from "./people.ts"
import { clip, DAY, film, refusal, Workshop } from "./workshop.ts"

let shop: Workshop
beforeEach(async () => {
  shop = await Workshop.open()
})
afterEach(() => shop.close())

describe("no way round a consent's end", () => {
  test("a withdrawal that arrives before the consent bars it, and a stranger's does not", async () => {
    const { envelope, file, object, key } = await shop.byHand(film)
    const stranger = (await hire(shop.services.staff, "sam", "labeller")).key
    expect(await shop.intake.withdraw(signWithdrawal(object, stranger))).toBe(null)
    expect(await shop.intake.withdraw(signWithdrawal(object, key))).toBe(null)
    await expect(shop.intake.offer(envelope, file)).rejects.toMatchObject(refusal("was withdrawn"))
    const other = await shop.byHand(film)
    await shop.intake.withdraw(signWithdrawal(other.object, stranger))
    await shop.intake.offer(other.envelope, other.file)
  })

  test("what is there does not come in again among other pictures, under a consent that would outlast its own", async () => {
    const part = filmCopy(clip, { from: 1, to: 99 })
    await shop.offer({ film: part.bytes, expires: shop.now + DAY })
    const { envelope, file } = await shop.byHand(film, { expires: shop.now + 300 * DAY })
    await expect(shop.intake.offer(envelope, file)).rejects.toMatchObject(refusal("doubled"))
  })

  test("a consent to measure makes no model", async () => {
    await shop.workplace.label(shop.token, await shop.offer({ purpose: "measure recognition" }), "animal")
    await shop.workplace.export(shop.token, "set", "measure recognition")
    await expect(
      shop.workplace.addModel(shop.token, "net", { dataset: "set", base: null }),
    ).rejects.toMatchObject(refusal("no model is made of it"))
  })

  test("so many labels that nothing could be withdrawn any more", async () => {
    const object = await shop.offer()
    const { store } = shop.services.labelling
    const ledger = await store.ledger()
    const label = { by: "lea", at: shop.now, label: "nothing" as const, crop: null }
    const labels = Array.from({ length: LABELS_MAX }, () => label)
    const items = ledger.items.map((item) => ({ ...item, labels }))
    await store.keep({ ...ledger, items })
    await expect(shop.workplace.label(shop.token, object, "nothing")).rejects.toMatchObject(
      refusal("at most"),
    )
    expect(await shop.consents.withdraw(object, shop.intake)).toMatchObject({ labels: LABELS_MAX })
  })

  test("who is called as somebody was who has left does not work on in their session", async () => {
    const object = await shop.offer()
    await shop.services.staff.remove("lea")
    await hire(shop.services.staff, "lea", "labeller")
    await expect(shop.workplace.open(shop.token, object)).rejects.toMatchObject(refusal("not on the staff"))
  })
})

test("a consent that the service refuses is taken back: nobody brings it later, and no log has to tell of it", async () => {
  await shop.offer()
  await expect(shop.offer()).rejects.toMatchObject(refusal("doubled"))
  const refused = (await shop.consents.all()).filter(({ withdrawn }) => withdrawn)
  expect(refused).toHaveLength(1)
  for (const { object } of refused) {
    expect(itemOf(await shop.services.labelling.store.ledger(), object)).toBe(undefined)
    expect(await new LogMemory(`${shop.folder}/owner`).expected(shop.mailboxOf(object))).toEqual([])
  }
})
