import fc from "fast-check"
import { afterEach, describe, expect, test } from "vitest"
import { signingKeyOf } from "../../../firmware/control/keys.ts"
import { isFault } from "../../../firmware/errors.ts"
import { folderSource, type LogSource } from "../../../harness/cloud/log/log-source.ts"
import type { MailboxEntry } from "../../../harness/cloud/log/mailboxes.ts"
import { decodeRecord, encodeRecord } from "../../../harness/cloud/log/records.ts"
import { describeLogAlert } from "../../../harness/owner/log-alerts.ts"
import { mutant } from "../../mutants.ts"
import { accessTo, LOG, openLog } from "../cloud/log/logs.ts"
import { accesses, folders, kindsOf, logOf, look, OURS, THEIRS, withMailbox } from "./look-at-log.ts"

afterEach(() => folders.remove())

describe("an owner who looks", () => {
  test("sees each of their own records, in order and proven, and nobody else's", async () => {
    const view = await look(await logOf(accesses(0, 9)))
    expect(view.alerts).toEqual([])
    const records = view.records.get(OURS) ?? []
    expect(records).toEqual(accesses(0, 9).filter(({ device }) => device === OURS))
  })

  test("is told when it continues what they saw before", async () => {
    const source = await logOf(accesses(0, 9))
    const { seen } = await look(source)
    const view = await look(await logOf(accesses(9, 300), source.directory), seen)
    expect(view).toMatchObject({ alerts: [], continues: { size: 9 }, checkpoint: { size: 300 } })
  })

  test("is not alarmed by what no checkpoint covers yet", async () => {
    const source = await logOf(accesses(0, 9))
    const log = await openLog(source.directory)
    const older = await source.checkpoint()
    for (const record of accesses(9, 12)) await log.append(record)
    await log.publish()
    const view = await look({ ...source, checkpoint: async () => older })
    expect(view).toMatchObject({ alerts: [], pending: 2 })
    await log.close()
  })

  test.each([
    [4, "removed"],
    [0, "removed"],
  ])("finds that record %i is not shown: %s", async (number, kind) => {
    const source = withMailbox(await logOf(accesses(0, 9)), (all) =>
      all.filter((each) => each.number !== number),
    )
    expect(kindsOf(await look(source))).toEqual([kind])
  })

  test("finds that the newest record is not shown, if it was once", async () => {
    const source = await logOf(accesses(0, 9))
    const { seen } = await look(source)
    const view = await look(
      withMailbox(source, (all) => all.slice(0, -1)),
      seen,
    )
    expect(view.alerts).toEqual([{ kind: "removed", device: OURS, from: 5, to: 5 }])
    // And is told so again: what was known stays known.
    expect(
      kindsOf(
        await look(
          withMailbox(source, (all) => all.slice(0, -1)),
          view.seen,
        ),
      ),
    ).toEqual(["removed"])
  })

  test("finds a record changed in any of its bytes, or its salt", async () => {
    const source = await logOf(accesses(0, 9))
    const size = (await source.mailbox(OURS))[2]?.record.length ?? 0
    for (let at = 0; at < size + 32; at += 5) {
      const view = await look(
        withMailbox(source, (all) =>
          all.map((entry) => {
            if (entry.number !== 2) return entry
            const bytes = Buffer.concat([entry.record, entry.salt])
            bytes[at] = (bytes[at] ?? 0) ^ 1
            return { ...entry, record: bytes.subarray(0, size), salt: bytes.subarray(size) }
          }),
        ),
      )
      expect(
        view.alerts.some(({ kind }) => ["changed", "not a record", "removed", "reordered"].includes(kind)),
      ).toBe(true)
    }
  })

  test("finds a reason rewritten with all that follows chained anew", async () => {
    const source = await logOf(accesses(0, 9))
    const forged = withMailbox(source, (all) =>
      all.map((entry) => {
        if (entry.number !== 5) return entry
        const logged = decodeRecord(entry.record)
        return {
          ...entry,
          record: encodeRecord({ ...logged, record: { ...logged.record, reason: "nothing" } }),
        }
      }),
    )
    expect((await look(forged)).alerts).toEqual([{ kind: "changed", device: OURS, number: 5 }])
  })

  test.each([
    [
      "two records swapped",
      (all: MailboxEntry[]) => [...all.slice(0, 2), ...all.slice(2, 4).reverse(), ...all.slice(4)],
    ],
    ["a record twice", (all: MailboxEntry[]) => [...all, ...all.slice(-1)]],
    [
      "two indices swapped",
      (all: MailboxEntry[]) =>
        all.map((each) => {
          const other = all.find(
            ({ number }) => number === (each.number === 2 ? 3 : each.number === 3 ? 2 : -1),
          )
          return other ? { ...each, index: other.index } : each
        }),
    ],
  ])("finds %s", async (_what, change) => {
    const view = await look(withMailbox(await logOf(accesses(0, 9)), change))
    expect(kindsOf(view)).toContain("reordered")
  })

  test("finds another camera's records among their own", async () => {
    const source = await logOf(accesses(0, 9))
    const foreign: LogSource = { ...source, mailbox: () => source.mailbox(THEIRS) }
    expect(new Set(kindsOf(await look(foreign)))).toEqual(new Set(["not a record"]))
  })

  test.each(["removed", "changed", "moved"])("finds the log made anew with one entry %s", async (what) => {
    const all = accesses(0, 9)
    const source = await logOf(all)
    const { seen } = await look(source)
    const other = {
      removed: all.toSpliced(4, 1),
      changed: all.with(4, { ...accessTo(OURS, 4), reason: "another" }),
      moved: [...all.slice(0, 4), ...all.slice(4, 6).reverse(), ...all.slice(6)],
    }[what as "removed"]
    const view = await look(await logOf([...other, ...accesses(9, 14)]), seen)
    expect(kindsOf(view)).toContain("forked")
    // What was seen before is still what counts.
    expect(view.seen).toEqual(seen)
  })

  test("finds the log rolled back, and gone", async () => {
    const short = await logOf(accesses(0, 5))
    const early = await folders.copyOf(short.directory)
    const { seen } = await look(await logOf(accesses(5, 9), short.directory))
    const view = await look(folderSource(early), seen)
    expect(kindsOf(view)).toEqual(["rolled back", "removed"])
    expect(view.seen).toEqual(seen)
    const gone: LogSource = { ...short, checkpoint: async () => null }
    await expect(look(gone, seen)).rejects.toThrow(/^rolled back/)
    await expect(look(gone)).rejects.toSatisfy((error) => isFault(error, "tampered"))
  })

  test("believes no checkpoint but the pinned key's", async () => {
    const source = await logOf(accesses(0, 9))
    const stranger = signingKeyOf(Buffer.alloc(32, 4))
    await expect(look(source, null, { log: { ...LOG, key: stranger } })).rejects.toSatisfy((error) =>
      isFault(error, "tampered"),
    )
  })

  test("is told of tiles that are missing or none, and does not fall over them", async () => {
    const source = await logOf(accesses(0, 9))
    const { seen } = await look(source)
    for (const tile of [null, new Uint8Array(0), new Uint8Array(9 * 32)]) {
      const view = await look({ ...source, tile: async () => tile }, seen)
      expect(kindsOf(view).every((kind) => kind === "damaged" || kind === "changed")).toBe(true)
      expect(view.records.get(OURS)).toEqual([])
    }
  })

  test("gets from any bytes an answer: records, alerts or a refusal", async () => {
    const source = await logOf(accesses(0, 9))
    const { seen } = await look(source)
    const bytes = fc.uint8Array({ maxLength: 400 })
    const entry = fc.record({
      device: fc.constant(OURS),
      number: fc.nat(),
      index: fc.nat(8),
      salt: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      record: bytes,
    })
    await fc.assert(
      fc.asyncProperty(
        bytes,
        fc.array(entry, { maxLength: 4 }),
        fc.boolean(),
        async (tile, entries, whole) => {
          const lying = { ...source, tile: async () => tile, mailbox: async () => entries }
          const view = await look(whole ? { ...lying, tile: source.tile } : lying, seen)
          expect(view.records.get(OURS)).toEqual([])
          expect(view.alerts.map(describeLogAlert)).not.toEqual([])
        },
      ),
      { numRuns: 100 },
    )
  })
})

/** Of its other checks `obscura mutants` makes the mistakes. */
describe("a check fails on its mutant", () => {
  const entry = "harness/owner/log.ts"
  type Module = typeof import("../../../harness/owner/log.ts")

  test("without the proof of inclusion a changed record passes", async () => {
    const from = "return provesInclusion({ index, size }, leafHash(commitment), proof, root)"
    const unsafe = await mutant<Module>(entry, {
      path: entry,
      from,
      to: "return proof.length >= 0 || root.length > size || index < 0 || leafHash(commitment) === null",
    })
    const forged = withMailbox(await logOf([accessTo(OURS, 0)]), (all) =>
      all.map((each) => ({ ...each, salt: Buffer.alloc(32) })),
    )
    expect(kindsOf(await look(forged))).toEqual(["changed"])
    expect(kindsOf(await look(forged, null, {}, unsafe.readLog))).toEqual([])
  })
})
