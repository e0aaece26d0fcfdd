import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { ServiceFolder } from "../../../harness/services/service-folder.ts"
import { DeskDrawer } from "../../../harness/services/staff/desk-drawer.ts"
import type { SupportInbox } from "../../../harness/services/support/owner-inbox.ts"
import { lookRequest, sealRequest } from "../../../harness/services/support/request.ts"
import { mutant } from "../../mutants.ts"
import { HelpDesk, refusal } from "./help-desk.ts"

let help: HelpDesk
beforeEach(async () => {
  help = await HelpDesk.open()
})
afterEach(() => help.close())

const REGISTRY = "harness/services/staff/registry.ts"

describe("a code of the second factor", () => {
  const twice = async (open?: Parameters<HelpDesk["open"]>[0]) => {
    help.services = help.open(open)
    const code = help.agent.code(help.now)
    await help.desk.ask(lookRequest(help.asking()).envelope, code)
    help.services = help.open(open)
    const again = lookRequest(help.asking({ reason: "the sound is away, too" }))
    await help.desk.ask(again.envelope, code)
  }

  test("is good once, also where the desk has started anew since", async () => {
    await expect(twice()).rejects.toMatchObject(refusal("used before"))
  })

  test("and a desk that forgets it is caught", async () => {
    const mistake = {
      path: REGISTRY,
      from: "await this.#keep(replaced(staff, next))",
      to: "replaced(staff, next)",
    }
    const entry = "harness/services/services.ts"
    const bent = await mutant<typeof import("../../../harness/services/services.ts")>(entry, mistake)
    await twice(bent.openServices)
  })
})

test.each(["ada＠example.org says so", "ada﹫example.org says so"])(
  "an e-mail address in other letters is one: %s",
  async (reason) => {
    await expect(help.ask({ reason })).rejects.toMatchObject(refusal("no e-mail"))
  },
)

test("who is put on the staff, gets another factor or is taken off stands in the journal", async () => {
  await help.staff.remove("ann")
  const journal = await readFile(join(help.folder, "services", "staff", "journal"), "utf8")
  const lines = journal
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
  expect(lines.map(({ name, role, what }) => [name, role, what])).toEqual([
    ["ann", "agent", "put on the staff"],
    ["ann", "agent", "a new second factor"],
    ["ann", "agent", "taken off the staff"],
  ])
})

describe("the owner's app", () => {
  test("answers a request once, also when two of its commands do at the same instant", async () => {
    await help.ask()
    const [asked] = await help.inbox.open()
    const answers = [help.inbox, help.inboxAt("owner")].map((inbox: SupportInbox) =>
      asked ? inbox.answering(asked) : Promise.resolve(),
    )
    const done = await Promise.allSettled(answers)
    expect(done.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"])
  })

  test("goes on where a taken-over desk asks more often with one code than it can note", async () => {
    const desk = new ServiceFolder(join(help.folder, "services", "support"))
    for (let n = 0; n < 66; n++) {
      const { request, envelope } = lookRequest(help.asking({ reason: `reason number ${n} of this desk` }))
      const file = await sealRequest(envelope, help.code.recipient)
      const path = join("boxes", help.code.box, `${request}.request`)
      await desk.put(path, file)
    }
    const asked = await help.inbox.open()
    expect(asked).toHaveLength(66)
    for (const one of asked.slice(0, 64)) await help.inbox.answering(one)
    for (const one of asked.slice(64))
      await expect(help.inbox.answering(one)).rejects.toMatchObject(refusal("make another"))
    expect(await help.inbox.open()).toHaveLength(2)
    await help.inbox.newCode()
  })
})

test("two commands of one person that come first have one key", async () => {
  const folder = await mkdtemp(join(tmpdir(), "obscura-drawer-"))
  const keys = await Promise.all([1, 2, 3].map(() => new DeskDrawer(join(folder, "staff")).key()))
  expect(new Set(keys.map(({ hex }) => hex)).size).toBe(1)
  await rm(folder, { recursive: true, force: true })
})
