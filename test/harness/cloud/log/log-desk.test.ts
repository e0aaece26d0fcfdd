import { randomBytes } from "node:crypto"
import { expect, test } from "vitest"
import * as desks from "../../../../harness/cloud/log/log-desk.ts"
import { encodeQuestion } from "../../../../harness/cloud/log/log-messages.ts"
import { mutant } from "../../../mutants.ts"
import { deviceOf } from "./logs.ts"

const PATH = "harness/cloud/log/log-desk.ts"

/** Of so many questions about each of so many cameras, while none is answered: how many a desk takes; and one afterwards. */
async function taken(cameras: number, questions: number, { LogDesk }: typeof desks = desks) {
  let release: () => void = () => undefined
  const slow = new Promise<null>((resolve) => {
    release = () => resolve(null)
  })
  const desk = new LogDesk({
    keeps: {
      source: { checkpoint: () => slow, mailbox: async () => [], tile: async () => null },
      records: null as never,
      publish: async () => undefined,
    },
    ...{ owns: () => false, log: { write: () => undefined }, send: () => undefined },
  })
  const ask = { kind: "file", path: "checkpoint" } as const
  const take = (camera: number) =>
    desk.take(deviceOf(camera), Buffer.from(encodeQuestion({ nonce: randomBytes(16).toString("hex"), ask })))
  let count = 0
  for (let camera = 0; camera < cameras; camera++)
    for (let question = 0; question < questions; question++) if (take(camera) === null) count++
  release()
  await desk.drained()
  const later = take(0)
  await desk.drained()
  return [count, later]
}

test("of one camera a desk answers eight questions at a time, and drops the others", async () => {
  expect(await taken(1, 20)).toEqual([8, null])
  const mistake = { path: PATH, from: "working >= AT_ONCE_OF_ONE || ", to: "" }
  expect(await taken(1, 20, await mutant<typeof desks>(PATH, mistake))).toEqual([20, null])
})

test("of all cameras together 256", async () => {
  expect(await taken(40, 8)).toEqual([256, null])
  const mistake = { path: PATH, from: " || this.#all.size >= AT_ONCE", to: "" }
  expect(await taken(40, 8, await mutant<typeof desks>(PATH, mistake))).toEqual([320, null])
})
