import { expect, test } from "vitest"
import { z } from "zod"
import { fromJson, toJson } from "../../../firmware/control/json.ts"
import { decodeHave, manifestShape } from "../../../firmware/control/protocol.ts"
import { isFault, messageOf } from "../../../firmware/errors.ts"
import { mutant } from "../../mutants.ts"

type FromJson = typeof fromJson
const FOREIGN = "\u001b[31mfrom the cloud "

/** Objects that break a shape in as many ways as there are, each with foreign text wherever text can be. */
const WRONG: readonly unknown[] = [
  { [FOREIGN]: 1 },
  { a: 1, b: "x", c: { d: true }, [FOREIGN]: 1, [`${FOREIGN}2`]: 2 },
  { a: FOREIGN, b: "x", c: { d: true } },
  { a: 1, b: FOREIGN, c: { d: true } },
  { a: 1, b: "x", c: { d: true, [FOREIGN]: FOREIGN.repeat(1_000) } },
  { a: 1, b: "x", c: { [FOREIGN]: true } },
  { a: 1, b: "x", c: FOREIGN },
  [FOREIGN],
  FOREIGN,
]
const shape = z.strictObject({
  a: z.number(),
  b: z.enum(["x", "y"]),
  c: z.strictObject({ d: z.boolean() }),
})

function quotesNothing(read: FromJson): void {
  for (const wrong of WRONG) {
    const refusal = refusalOf(() => read(toJson(wrong), shape, "thing", 100_000))
    expect(refusal).toMatch(/^thing: /)
    expect(refusal).not.toContain("cloud")
    expect(refusal.length).toBeLessThan(250)
  }
}

function refusalOf(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    if (!isFault(error, "malformed")) throw error
    return messageOf(error)
  }
  throw new Error("it was taken")
}

test("a refusal says where and what is wrong, and quotes nothing of what was sent", () =>
  quotesNothing(fromJson))

test("and one that quotes the names of unknown fields is found out", async () => {
  const path = "firmware/control/json.ts"
  const mistake = { path, from: 'issue?.code === "unrecognized_keys"', to: "false" }
  const bent = await mutant<{ fromJson: FromJson }>(path, mistake)
  expect(() => quotesNothing(bent.fromJson)).toThrow("not to contain")
})

test("so neither does a camera's log, when a cloud answers with text of its own", () => {
  expect(refusalOf(() => decodeHave(toJson({ unknown: FOREIGN, [FOREIGN]: 1 })))).not.toContain("cloud")
  expect(
    refusalOf(() => fromJson(toJson({ [FOREIGN]: FOREIGN }), manifestShape, "manifest", 1_000)),
  ).not.toContain("cloud")
})
