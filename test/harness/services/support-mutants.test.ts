import { randomBytes } from "node:crypto"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { signingKeyOf } from "../../../firmware/control/keys.ts"
import { newSupportCode } from "../../../harness/services/support/code.ts"
import { mutant } from "../../mutants.ts"
import { HelpDesk } from "./help-desk.ts"

const DESK = "harness/services/support/desk.ts"
const REGISTRY = "harness/services/staff/registry.ts"
const MISTAKES = {
  "takes any reason": { path: DESK, from: "if (flaw !== null)", to: "if (flaw === undefined)" },
  "takes a reason twice": {
    path: DESK,
    from: "if (fingerprints.includes(fingerprint))",
    to: "if (!fingerprints)",
  },
  "asks for any role": {
    path: DESK,
    from: "if (body.seconds > ROLES[staff.role].asksSeconds)",
    to: "if (body.seconds > 600)",
  },
  "needs no second factor": {
    path: REGISTRY,
    from: 'return { next: person, why: "no second factor: staff without one ask for nothing" }',
    to: "return { next: person, why: null }",
  },
  "takes a code twice": {
    path: REGISTRY,
    from: "if (step !== null && step > factor.step)",
    to: "if (step !== null)",
  },
  "never locks": { path: REGISTRY, from: "if (now < factor.lockedUntil)", to: "if (now < 0)" },
  "keeps no record": { path: DESK, from: "await this.#record(envelope, body)", to: "" },
  "keeps no record of what it refuses": { path: DESK, from: "await this.#refused(said, error)", to: "{}" },
} as const
type Name = keyof typeof MISTAKES

/** Resolves if the desk lets it through; what it must refuse rejects. */
const LET_THROUGH: Readonly<Record<Name, (help: HelpDesk) => Promise<unknown>>> = {
  "takes any reason": (help) => help.ask({ reason: " " }),
  "takes a reason twice": async (help) => {
    await help.ask({ reason: "the first of two" })
    await help.ask({ reason: "The first of two." })
  },
  "asks for any role": async (help) => {
    const root = await help.hire("root", "administrator")
    await help.ask({ name: "root", staff: root.key, seconds: 60 }, root.code(help.now + 30_000))
  },
  "needs no second factor": async (help) => {
    const key = signingKeyOf(randomBytes(32))
    await help.staff.add("new-hire", "agent", key)
    await help.ask({ name: "new-hire", staff: key }, "")
  },
  "takes a code twice": async (help) => {
    await help.ask({})
    const used = help.agent.code(help.now)
    help.now -= 30_000
    await help.ask({ reason: "the same code again" }, used)
  },
  "never locks": async (help) => {
    for (let n = 0; n < 5; n++) await help.ask({}, "12345").catch(() => undefined)
    await help.ask()
  },
  "keeps no record": async (help) => {
    await help.ask()
    expect(help.log.all).toEqual([])
  },
  "keeps no record of what it refuses": async (help) => {
    await help.ask({ reason: "", code: await newSupportCode() }).catch(() => undefined)
    expect(help.log.all).toEqual([])
  },
}

let help: HelpDesk
beforeEach(async () => {
  help = await HelpDesk.open()
})
afterEach(() => help.close())

describe.each(Object.keys(MISTAKES) as Name[])("a desk that %s", (name) => {
  test("is not ours", async () => {
    await expect(LET_THROUGH[name](help)).rejects.toThrow()
  })

  test("is caught", async () => {
    const entry = "harness/services/services.ts"
    const bent = await mutant<typeof import("../../../harness/services/services.ts")>(entry, MISTAKES[name])
    help.services = help.open(bent.openServices)
    await LET_THROUGH[name](help)
  })
})
