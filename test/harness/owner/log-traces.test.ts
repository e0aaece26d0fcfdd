import { afterEach, describe, expect, test } from "vitest"
import { type AccessRecord, KINDS, traceOf } from "../../../harness/cloud/log/records.ts"
import { accessTo } from "../cloud/log/logs.ts"
import { accesses, folders, kindsOf, logOf, look, OURS } from "./look-at-log.ts"

afterEach(() => folders.remove())

describe("an access that is forced to leave a trace", () => {
  const grant = "a".repeat(64)
  const record: AccessRecord = {
    kind: "grant",
    device: OURS,
    at: 1,
    by: { role: "support", key: null },
    reason: "the picture freezes",
    grant,
    purpose: "live view",
    receiver: null,
  }
  const traces = [{ device: OURS, trace: `grant ${grant}` }]

  test("and has its one record is in order", async () => {
    expect((await look(await logOf([record]), null, { traces })).alerts).toEqual([])
  })

  test("and has none is told", async () => {
    expect((await look(await logOf(accesses(0, 3)), null, { traces })).alerts).toEqual([
      { kind: "not logged", device: OURS, trace: `grant ${grant}` },
    ])
  })

  test("and has two is told", async () => {
    expect(kindsOf(await look(await logOf([record, record]), null, { traces }))).toEqual(["twice"])
  })

  test("has a fact to be held against, and one by policy has none", () => {
    for (const each of [record, accessTo(OURS, 1)])
      expect(traceOf(each) === null).toBe(KINDS[each.kind].trace === "policy")
  })
})
