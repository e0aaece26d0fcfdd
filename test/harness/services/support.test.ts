import { randomBytes } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { sign } from "../../../firmware/control/dsse.ts"
import { signingKeyOf } from "../../../firmware/control/keys.ts"
import { ServiceFolder } from "../../../harness/services/service-folder.ts"
import { codeOf } from "../../../harness/services/staff/totp.ts"
import { newSupportCode } from "../../../harness/services/support/code.ts"
import { SupportDesk } from "../../../harness/services/support/desk.ts"
import { lookRequest } from "../../../harness/services/support/request.ts"
import { HelpDesk, REASON, refusal, viewer } from "./help-desk.ts"

let help: HelpDesk
beforeEach(async () => {
  help = await HelpDesk.open()
})
afterEach(() => help.close())

describe("support asks", () => {
  test("and the owner who gave the code sees who, why and for how long; nobody without it sees anything", async () => {
    const { request } = await help.ask()
    const [asked, ...more] = await help.inbox.open()
    expect(more).toEqual([])
    expect(asked).toMatchObject({ request, name: "ann", reason: REASON, seconds: 300, receiver: viewer.hex })
    expect(help.log.of(help.code.box)).toEqual(["support asked"])
    const other = help.inboxAt("other")
    await other.newCode()
    expect(await other.open()).toEqual([])
    const path = join(help.folder, "services", "support", "boxes", help.code.box, `${request}.request`)
    const file = await readFile(path)
    for (const word of ["ann", "green"]) expect(file.includes(word)).toBe(false)
  })

  test.each([
    ["", "a blank reason"],
    [" ", "a blank reason"],
    ["\u00a0 \u2003 \u3000", "a blank reason"],
    ["\u200b".repeat(12), "can be seen"],
    ["\u3164".repeat(12), "can be seen"],
    ["..............", "with words"],
    ["support", "at least 10"],
    ["x".repeat(201), "at most 200"],
    ["y".repeat(1_000_000), "at most 200"],
    ["\u{1f4a9}".repeat(300_000), "at most 200"],
    ["two lines\nof a reason", "can be seen"],
    ["ada@example.org says it is green", "no e-mail"],
  ])("not with the reason %.40j, and the try is recorded", async (reason, why) => {
    await expect(help.ask({ reason })).rejects.toMatchObject(refusal(why))
    expect(help.log.of(help.code.box)).toEqual([expect.stringContaining(why)])
    expect(await help.inbox.open()).toEqual([])
  })

  test.each([REASON, ` ${REASON}. `, REASON.toUpperCase(), REASON.replace(/ /g, "  -  ")])(
    "not with a reason that was given before, as %j",
    async (reason) => {
      await help.ask()
      const colleague = await help.hire("bea", "engineer")
      const theirs = { name: "bea", staff: colleague.key, code: await newSupportCode(), reason }
      await expect(help.ask(theirs, colleague.code(help.now + 30_000))).rejects.toMatchObject(
        refusal("given before"),
      )
      expect(help.log.of(theirs.code.box)).toEqual(["refused: a reason that was given before"])
    },
  )

  test("not without a second factor, with a wrong code, with one that was used, or by trying all of them", async () => {
    const key = signingKeyOf(randomBytes(32))
    await help.staff.add("new-hire", "agent", key)
    await expect(help.ask({ name: "new-hire", staff: key }, "123456")).rejects.toMatchObject(
      refusal("no second factor"),
    )
    await help.ask()
    const used = help.agent.code(help.now)
    help.now -= 30_000
    await expect(help.ask({ reason: "another reason altogether" }, used)).rejects.toMatchObject(
      refusal("used before"),
    )
    for (let n = 0; n < 4; n++)
      await expect(help.ask({}, "12345")).rejects.toMatchObject(refusal("a wrong code"))
    await expect(help.ask({ reason: "the right code, too late" })).rejects.toMatchObject(refusal("locked"))
    help.now += 15 * 60_000
    await help.ask({ reason: "the right code, in time again" })
    expect(help.log.of(help.code.box).filter((each) => each.startsWith("refused"))).toHaveLength(7)
    const journal = await readFile(join(help.folder, "services", "staff", "journal"), "utf8")
    expect(journal.match(/refused/g)).toHaveLength(7)
  })

  test("not in a role that may not, not by a stranger, not for longer, and not after they have left", async () => {
    for (const role of ["administrator", "labeller"] as const) {
      const person = await help.hire(role, role)
      const asked = help.ask({ name: role, staff: person.key }, person.code(help.now + 30_000))
      await expect(asked).rejects.toMatchObject(refusal("may not ask"))
    }
    const stranger = { staff: signingKeyOf(randomBytes(32)) }
    await expect(help.ask(stranger)).rejects.toMatchObject(refusal("not on the staff"))
    await expect(help.ask({ seconds: 301 })).rejects.toMatchObject(refusal("301 s"))
    await help.staff.remove("ann")
    await expect(help.ask()).rejects.toMatchObject(refusal("not on the staff"))
  })

  test("not by what nobody signed, or signed as something else", async () => {
    const { envelope } = lookRequest(help.asking())
    const forged = JSON.parse(Buffer.from(envelope).toString())
    forged.signatures[0].sig = Buffer.alloc(64).toString("base64")
    const totp = help.agent.code(help.now)
    const bytes = Buffer.from(JSON.stringify(forged))
    await expect(help.desk.ask(bytes, totp)).rejects.toMatchObject({ kind: "tampered" })
    const other = sign("consent", { hello: "you" }, help.agent.key)
    await expect(help.desk.ask(other, totp)).rejects.toMatchObject({ kind: "malformed" })
    expect(help.log.all).toEqual([])
    const journal = await readFile(join(help.folder, "services", "staff", "journal"), "utf8")
    expect(journal.match(/refused/g)).toHaveLength(2)
  })

  test("and what cannot be recorded is not asked", async () => {
    const record = async () => Promise.reject(new Error("the log is away"))
    const folder = new ServiceFolder(join(help.folder, "services", "support"))
    const desk = new SupportDesk({ folder, staff: help.staff, record })
    await expect(help.ask({}, undefined, desk)).rejects.toThrow("away")
    expect(await help.inbox.open()).toEqual([])
  })
})

test("what the company keeps has no support code in it, and nothing that opens a box", async () => {
  await help.ask()
  const names = await readdir(join(help.folder, "services"), { recursive: true, withFileTypes: true })
  const files = names.filter((each) => each.isFile())
  expect(files.length).toBeGreaterThan(3)
  for (const file of files) {
    const text = (await readFile(join(file.parentPath, file.name))).toString("latin1")
    for (const secret of [help.code.text, help.code.text.replace(/-/g, ""), "AGE-SECRET"])
      expect(text).not.toContain(secret)
  }
})

test("the second factor is RFC 6238's, to the digit (appendix B, and the last six of its eight)", () => {
  const secret = Buffer.from("12345678901234567890")
  const vectors = { 59: "94287082", 1111111109: "07081804", 1234567890: "89005924", 20000000000: "65353130" }
  for (const [at, code] of Object.entries(vectors)) {
    expect(codeOf(secret, Math.floor(Number(at) / 30), 8)).toBe(code)
    expect(codeOf(secret, Math.floor(Number(at) / 30))).toBe(code.slice(2))
  }
})
