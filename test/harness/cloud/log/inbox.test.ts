import { linkSync } from "node:fs"
import { readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import fc from "fast-check"
import { afterEach, describe, expect, test } from "vitest"
import { type Fault, isFault } from "../../../../firmware/errors.ts"
import { privateFolder } from "../../../../harness/cloud/log/access-log.ts"
import * as inboxes from "../../../../harness/cloud/log/inbox.ts"
import { folderSource } from "../../../../harness/cloud/log/log-source.ts"
import * as onces from "../../../../harness/cloud/log/once.ts"
import { type Access, recordAccess } from "../../../../harness/cloud/log/record-access.ts"
import type { AccessRecord } from "../../../../harness/cloud/log/records.ts"
import { readLog } from "../../../../harness/owner/log.ts"
import { type Mistake, mutant } from "../../../mutants.ts"
import { deviceOf, Folders, LOG, openLog } from "./logs.ts"

const folders = new Folders()
afterEach(() => folders.remove())

const device = deviceOf(1)
const consent = "c".repeat(64)
const given: Access = {
  ...{ kind: "consent", device, by: { role: "owner", key: null }, reason: "people at a door" },
  ...{ consent, change: "given" },
}
const opened: Access = {
  ...{ kind: "labelling", device, by: { role: "labelling", key: null }, reason: "people at a door" },
  ...{ consent, step: "opened" },
}

async function takeInto(directory: string, { Inbox }: typeof inboxes = inboxes) {
  const told: Fault[] = []
  const log = await openLog(directory)
  const inbox = new Inbox(log, directory, (error) => void told.push(error))
  await inbox.close()
  await log.close()
  return told
}

const look = (directory: string, traces: readonly string[] = []) =>
  readLog(folderSource(directory), {
    ...{ log: LOG, devices: [device], before: null, now: 0 },
    traces: traces.map((trace) => ({ device, trace })),
  })

const waiting = (directory: string) => readdir(join(privateFolder(directory), "inbox"))

describe("a record that another program leaves", () => {
  test("waits durably until a cloud is there, comes in order and leaves nothing behind", async () => {
    const directory = await folders.make()
    await recordAccess(directory, given, 5)
    await recordAccess(directory, opened, 6)
    expect(await waiting(directory)).toHaveLength(2)
    expect(await takeInto(directory)).toEqual([])
    const { records, alerts } = await look(directory, [`consent ${consent}`])
    expect(alerts).toEqual([])
    expect(records.get(device)?.map(({ kind, at }) => [kind, at])).toEqual([
      ["consent", 5],
      ["labelling", 6],
    ])
    expect(await waiting(directory)).toEqual([])
  })

  /** After a crash between append and removal, as the same file again. */
  async function alertsAfterCrash(module: typeof inboxes = inboxes) {
    const directory = await folders.make()
    for (let times = 0; times < 2; times++) {
      await recordAccess(directory, given, 5)
      await takeInto(directory, module)
    }
    return (await look(directory)).alerts.map(({ kind }) => kind)
  }

  test("of a forced kind makes one record, whatever crashed between", async () => {
    expect(await alertsAfterCrash()).toEqual([])
    const mistake: Mistake = {
      path: "harness/cloud/log/once.ts",
      from: "if (!(await this.#isLogged(record.device, trace)))",
      to: "",
    }
    expect(await alertsAfterCrash(await mutant("harness/cloud/log/inbox.ts", mistake))).toEqual(["twice"])
  })

  test("and that is none is told, and does not hold up the others", async () => {
    const directory = await folders.make()
    await recordAccess(directory, given, 5)
    const inbox = join(privateFolder(directory), "inbox")
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3_000 }), fc.nat(), async (bytes, n) => {
        await writeFile(join(inbox, `${n}.json`), bytes)
      }),
      { numRuns: 20 },
    )
    const told = await takeInto(directory)
    expect(told.length).toBeGreaterThan(0)
    expect(told.every((error) => isFault(error, "malformed"))).toBe(true)
    expect((await look(directory)).records.get(device)).toHaveLength(1)
    expect(await waiting(directory)).toEqual([])
  })

  test.each([
    ["blank", { ...given, reason: " " }],
    ["of two lines", { ...given, reason: "a\nb" }],
    ["enormous", { ...given, reason: "x".repeat(201) }],
  ] as const)("with a reason that is %s is refused at once", async (_what, access) => {
    const directory = await folders.make()
    await expect(recordAccess(directory, access)).rejects.toSatisfy((error) => isFault(error, "malformed"))
  })

  /** What becomes of the next record in `directory`. */
  async function leftIn(directory: string, { leaveRecord }: typeof inboxes): Promise<string> {
    const left = leaveRecord(directory, { ...given, at: 5 } as AccessRecord)
    return left.then(
      () => "left",
      (error: Fault) => error.kind,
    )
  }

  test("is refused where thousands wait that no cloud takes", async () => {
    const directory = await folders.make()
    await recordAccess(directory, given)
    const inbox = join(privateFolder(directory), "inbox")
    const [left = ""] = await readdir(inbox)
    for (let n = 1; n < 4_096; n++) linkSync(join(inbox, left), join(inbox, `${n}.json`))
    expect(await leftIn(directory, inboxes)).toBe("full")
    const path = "harness/cloud/log/inbox.ts"
    const mistake: Mistake = {
      path,
      from: "(await namesIn(inbox)).length >= WAITING_MAX",
      to: "!WAITING_MAX",
    }
    expect(await leftIn(directory, await mutant(path, mistake))).toBe("left")
  })

  test("waits on while the log takes nothing, which is told once", async () => {
    const directory = await folders.make()
    await recordAccess(directory, given)
    const log = await openLog(directory)
    const told: Fault[] = []
    const inbox = new inboxes.Inbox(log, directory, (error) => void told.push(error))
    await log.close()
    await inbox.take()
    await inbox.take()
    await inbox.close()
    expect(told.map(({ kind }) => kind)).toEqual(["unavailable"])
    expect(await waiting(directory)).toHaveLength(1)
  })
})

/** One fact that two doors of a cloud are shown at about the same time: its records. */
async function shownAtTwoDoors(module: typeof onces): Promise<number> {
  const directory = await folders.make()
  const log = await openLog(directory)
  for (const once of [new module.OnceEach(log), new module.OnceEach(log)])
    await once.append({ ...given, at: 5 } as AccessRecord)
  await log.close()
  return (await look(directory)).records.get(device)?.length ?? 0
}

test("one fact that two doors are shown has one record", async () => {
  expect(await shownAtTwoDoors(onces)).toBe(1)
  const path = "harness/cloud/log/once.ts"
  const bent = await mutant<typeof onces>(path, { path, from: "    await this.#log.publish()\n", to: "" })
  expect(await shownAtTwoDoors(bent)).toBe(2)
})
