import { randomBytes } from "node:crypto"
import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { sign } from "../../../firmware/control/dsse.ts"
import { sha256Hex, signingKeyOf } from "../../../firmware/control/keys.ts"
import { signWithdrawal } from "../../../harness/services/labelling/consent.ts"
import { Policies } from "../../../harness/services/labelling/policy.ts"
import { filmCopy } from "../../../harness/services/offering/film-copy.ts"
import { newObject } from "../../../harness/services/offering/new-object.ts"
import { DAY, film, keys, refusal, Workshop } from "./workshop.ts"

let shop: Workshop
beforeEach(async () => {
  shop = await Workshop.open()
})
afterEach(() => shop.close())

describe("refused, with a reason and a record", () => {
  test("an indoor camera's clip, and one of a camera of which nothing was said: never is the default", async () => {
    await expect(shop.offer({ device: "cd".repeat(20) })).rejects.toMatchObject(refusal("never offered"))
    await new Policies(join(shop.folder, "owner")).keep("cd".repeat(20), {
      place: "indoor",
      labelling: "never",
    })
    await expect(shop.offer({ device: "cd".repeat(20) })).rejects.toMatchObject(refusal("indoors"))
    expect(shop.log.all).toEqual([])
    expect(await shop.consents.all()).toEqual([])
  })

  test("a forged consent: by nobody, in another's name, or about something else", async () => {
    const { envelope, file } = await shop.byHand(film)
    const forged = JSON.parse(Buffer.from(envelope).toString())
    forged.signatures[0].sig = Buffer.alloc(64).toString("base64")
    const bytes = Buffer.from(JSON.stringify(forged))
    await expect(shop.intake.offer(bytes, file)).rejects.toMatchObject({ kind: "tampered" })
    const post = sign(
      "post",
      JSON.parse(Buffer.from(forged.payload, "base64").toString()),
      signingKeyOf(randomBytes(32)),
    )
    await expect(shop.intake.offer(post, file)).rejects.toMatchObject({ kind: "tampered" })
    await expect(shop.intake.offer(randomBytes(90), file)).rejects.toMatchObject({ kind: "malformed" })
    const journal = await readFile(join(shop.folder, "services", "labelling", "journal"), "utf8")
    expect(journal.match(/refused/g)).toHaveLength(3)
  })

  test.each([
    ["expired", { expires: 1_800_000_000_000 }, "has expired"],
    ["for ever", { expires: 1_800_000_000_000 + 400 * DAY }, "at most a year"],
    ["for another service", { service: "0".repeat(40) }, "another service"],
    ["for another file", { file: "0".repeat(64) }, "another file"],
  ])("a consent that is %s", async (_name, more, why) => {
    const { envelope, file, key } = await shop.byHand(film, more)
    await expect(shop.intake.offer(envelope, file)).rejects.toMatchObject(refusal(why))
    expect(shop.log.of(key.id)).toEqual([expect.stringContaining(why)])
    expect(await shop.workplace.queue(shop.token)).toEqual([])
  })

  test("a consent that is doubled, or whose pictures are there under another", async () => {
    const { envelope, file } = await shop.byHand(film)
    await shop.intake.offer(envelope, file)
    await expect(shop.intake.offer(envelope, file)).rejects.toMatchObject(refusal("doubled"))
    const again = await shop.byHand(film)
    await expect(shop.intake.offer(again.envelope, again.file)).rejects.toMatchObject(refusal("doubled"))
    expect(await shop.workplace.queue(shop.token)).toHaveLength(1)
  })

  test("what a labeller brings back after it was withdrawn: the file, the film, or a piece of it", async () => {
    const object = await shop.offer()
    const theirs = await shop.workplace.open(shop.token, object)
    const file = await readFile(join(shop.folder, "services", "labelling", "clips", `${object}.age`))
    await shop.consents.withdraw(object, shop.intake)
    const sameFile = await shop.byHand(film, { object, file: sha256Hex(file) })
    await expect(shop.intake.offer(sameFile.envelope, file)).rejects.toMatchObject(refusal("withdrawn"))
    for (const again of [theirs, filmCopy(theirs, { from: 1, to: 99 }).bytes]) {
      const { envelope, file: sealed, key } = await shop.byHand(again)
      await expect(shop.intake.offer(envelope, sealed)).rejects.toMatchObject(refusal("do not come back"))
      expect(shop.log.of(key.id)).toEqual([expect.stringContaining("do not come back")])
    }
  })

  test("what somebody lays into the service's folder: it is in no queue, and goes", async () => {
    const object = await shop.offer()
    await writeFile(shop.path("clips", `${"0".repeat(32)}.age`), (await shop.byHand(film)).file)
    await expect(shop.workplace.open(shop.token, "0".repeat(32))).rejects.toMatchObject(
      refusal("nobody consents"),
    )
    await shop.workplace.label(shop.token, object, "nothing")
    expect(await readdir(shop.path("clips"))).toEqual([`${object}.age`])
  })

  test("what is no film, or sealed for somebody else", async () => {
    const noise = await shop.byHand(randomBytes(1_000))
    await expect(shop.intake.offer(noise.envelope, noise.file)).rejects.toMatchObject(refusal("not a film"))
    const { file } = await newObject(film, keys.householdRecipient)
    const foreign = await shop.byHand(film, { file: sha256Hex(file) })
    await expect(shop.intake.offer(foreign.envelope, file)).rejects.toMatchObject(refusal("another key"))
  })

  test("a withdrawal by anybody else", async () => {
    const object = await shop.offer()
    const stranger = signingKeyOf(randomBytes(32))
    await expect(shop.intake.withdraw(signWithdrawal(object, stranger))).rejects.toMatchObject(
      refusal("only who consented"),
    )
    expect(await shop.intake.withdraw(signWithdrawal("0".repeat(32), stranger))).toBe(null)
    expect(await shop.workplace.queue(shop.token)).toHaveLength(1)
  })

  test("whoever does not label: no session, an old one, another role, or nobody any more", async () => {
    const object = await shop.offer()
    for (const role of ["agent", "administrator"] as const)
      await expect(shop.workplace.open(await shop.login(role, role), object)).rejects.toMatchObject(
        refusal("does not label"),
      )
    await expect(shop.workplace.open("0".repeat(64), object)).rejects.toMatchObject(refusal("logged in"))
    await shop.services.staff.remove("lea")
    await expect(shop.workplace.open(shop.token, object)).rejects.toMatchObject(refusal("not on the staff"))
    const again = await shop.login("mia")
    shop.now += 61 * 60_000
    await expect(shop.workplace.open(again, object)).rejects.toMatchObject(refusal("not any more"))
    expect(shop.log.of(shop.mailboxOf(object))).toEqual(["consent given"])
  })

  test("a service whose key has changed since the first consent", async () => {
    await shop.offer()
    const other = { recipient: keys.householdRecipient }
    await expect(shop.consents.offer(shop.terms(), other, shop.intake)).rejects.toMatchObject(
      refusal("another key"),
    )
  })
})
