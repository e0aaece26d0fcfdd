import { readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { type Consent, signWithdrawal } from "../../../harness/services/labelling/consent.ts"
import { OwnerConsents } from "../../../harness/services/labelling/owner-consents.ts"
import { filmCopy } from "../../../harness/services/offering/film-copy.ts"
import { mutant } from "../../mutants.ts"
import { hire } from "./people.ts"
import { clip, DAY, film, Workshop } from "./workshop.ts"

const INTAKE = "harness/services/labelling/intake.ts"
const LEDGER = "harness/services/labelling/ledger.ts"
const WORKPLACE = "harness/services/labelling/workplace.ts"
const MISTAKES = {
  "takes what has expired": { path: INTAKE, from: "if (isOver(consent, now()))", to: "if (now() < 0)" },
  "takes a consent for another file": {
    path: INTAKE,
    from: "if (consent.file !== sha256Hex(file))",
    to: "if (consent.file === file.toString())",
  },
  "takes a consent for another service": {
    path: INTAKE,
    from: "if (consent.service !== id)",
    to: 'if (id === "")',
  },
  "takes a consent twice": {
    path: INTAKE,
    from: "if (pictures.some((picture) => there.has(picture)))",
    to: "if (pictures.length < 0)",
  },
  "takes back what was withdrawn": {
    path: INTAKE,
    from: "if (pictures.some((picture) => over.has(picture)))",
    to: "if (pictures.length < 0)",
  },
  "takes what is there among other pictures": {
    path: INTAKE,
    from: "if (pictures.some((picture) => there.has(picture)))",
    to: "if (pictures.every((picture) => there.has(picture)))",
  },
  "takes what was withdrawn before it came": {
    path: INTAKE,
    from: "ledger.barred.includes(barred) || ",
    to: "",
  },
  "leaves what a crash left": {
    path: INTAKE,
    from: "if (gone.length === 0) await store.tidy(await store.ledger())",
    to: "",
  },
  "makes models of what was given to measure": {
    path: WORKPLACE,
    from: 'if (dataset.purpose !== "train recognition")',
    to: "if (dataset.rows.length === 0)",
  },
  "lets a namesake work on": {
    path: "harness/services/staff/registry.ts",
    from: ' && each.key === key.hex)\n    if (person === undefined) throw await this.#refusal(null, "not on the staff any more")',
    to: ')\n    if (person === undefined) throw await this.#refusal(null, "not on the staff any more")',
  },
  "lets anybody withdraw": { path: INTAKE, from: "if (item.consent.key !== key)", to: 'if (key === "")' },
  "keeps what has expired": {
    path: LEDGER,
    from: "items.filter(({ consent }) => isOver(consent, now))",
    to: "items.filter(({ consent }) => isOver(consent, now - now))",
  },
  "keeps rows of what was withdrawn": {
    path: LEDGER,
    from: "rows: dataset.rows.filter((row) => row.object !== object),",
    to: "rows: dataset.rows,",
  },
  "lets anybody look": {
    path: WORKPLACE,
    from: "if (!ROLES[staff.role].labels)",
    to: "if (staff.name === token)",
  },
  "is looked through unrecorded": {
    path: WORKPLACE,
    from: 'await this.#record(item, staff, "opened")',
    to: "",
  },
  "uses a clip for everything": {
    path: WORKPLACE,
    from: "item.consent.purpose === purpose && item.labels.length > 0",
    to: "item.labels.length > 0",
  },
} as const
type Name = keyof typeof MISTAKES

const taken = async (shop: Workshop, more: Partial<Consent> = {}) => {
  const { envelope, file } = await shop.byHand(film, more)
  await shop.intake.offer(envelope, file)
}

const used = async (shop: Workshop): Promise<string> => {
  const object = await shop.offer()
  await shop.workplace.label(shop.token, object, "person")
  await shop.workplace.export(shop.token, "set", "train recognition")
  await shop.workplace.addModel(shop.token, "net", { dataset: "set", base: null })
  return object
}

/** Resolves if the service does what it must not. */
const DOES: Readonly<Record<Name, (shop: Workshop) => Promise<unknown>>> = {
  "takes what has expired": (shop) => taken(shop, { expires: shop.now }),
  "takes a consent for another file": (shop) => taken(shop, { file: "0".repeat(64) }),
  "takes a consent for another service": (shop) => taken(shop, { service: "0".repeat(40) }),
  "takes a consent twice": async (shop) => {
    await taken(shop)
    await taken(shop)
  },
  "takes back what was withdrawn": async (shop) => {
    await shop.consents.withdraw(await shop.offer(), shop.intake)
    await taken(shop)
  },
  "takes what is there among other pictures": async (shop) => {
    await shop.offer({ film: filmCopy(clip, { from: 1, to: 99 }).bytes })
    await taken(shop)
  },
  "takes what was withdrawn before it came": async (shop) => {
    const { envelope, file, object, key } = await shop.byHand(film)
    await shop.intake.withdraw(signWithdrawal(object, key))
    await shop.intake.offer(envelope, file)
  },
  "leaves what a crash left": async (shop) => {
    await shop.offer()
    await writeFile(shop.path("clips", `${"0".repeat(32)}.age`), film)
    await shop.intake.sweep()
    expect(await readdir(shop.path("clips"))).toHaveLength(2)
  },
  "makes models of what was given to measure": async (shop) => {
    await shop.workplace.label(shop.token, await shop.offer({ purpose: "measure recognition" }), "person")
    await shop.workplace.export(shop.token, "set", "measure recognition")
    await shop.workplace.addModel(shop.token, "net", { dataset: "set", base: null })
  },
  "lets a namesake work on": async (shop) => {
    const object = await shop.offer()
    await shop.services.staff.remove("lea")
    await hire(shop.services.staff, "lea", "labeller")
    await shop.workplace.open(shop.token, object)
  },
  "lets anybody withdraw": async (shop) => {
    const object = await shop.offer()
    const { OwnerKeys } = await import("../../../harness/owner/keys.ts")
    const stranger = new OwnerConsents(join(shop.folder, "stranger"), await OwnerKeys.create())
    await stranger.withdraw(object, shop.intake)
  },
  "keeps what has expired": async (shop) => {
    await shop.offer()
    shop.now += 8 * DAY
    await shop.intake.sweep()
    expect((await shop.services.labelling.store.ledger()).items).toHaveLength(1)
  },
  "keeps rows of what was withdrawn": async (shop) => {
    await shop.consents.withdraw(await used(shop), shop.intake)
    expect((await shop.services.labelling.store.ledger()).datasets[0]?.rows).toHaveLength(1)
  },
  "lets anybody look": async (shop) =>
    shop.workplace.open(await shop.login("boss", "administrator"), await shop.offer()),
  "is looked through unrecorded": async (shop) => {
    const object = await shop.offer()
    await shop.workplace.open(shop.token, object)
    expect(shop.log.of(shop.mailboxOf(object))).toEqual(["consent given"])
  },
  "uses a clip for everything": async (shop) => {
    await used(shop)
    await shop.workplace.export(shop.token, "set", "measure recognition")
  },
}

let shop: Workshop
beforeEach(async () => {
  shop = await Workshop.open()
})
afterEach(() => shop.close())

describe.each(Object.keys(MISTAKES) as Name[])("a labelling service that %s", (name) => {
  test("is not ours", async () => {
    await expect(DOES[name](shop)).rejects.toThrow()
  })

  test("is caught", async () => {
    const entry = "harness/services/services.ts"
    const bent = await mutant<typeof import("../../../harness/services/services.ts")>(entry, MISTAKES[name])
    shop.services = shop.open(bent.openServices)
    await DOES[name](shop)
  })
})
