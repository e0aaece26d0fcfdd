import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import fc from "fast-check"
import { afterEach, describe, expect, test } from "vitest"
import { isFault } from "../../../../firmware/errors.ts"
import { readJournal } from "../../../../harness/cloud/log/journal.ts"
import {
  encodeMailboxEntry,
  type MailboxEntry,
  Mailboxes,
  mailboxEntries,
} from "../../../../harness/cloud/log/mailboxes.ts"
import { decodeRecord } from "../../../../harness/cloud/log/records.ts"
import { deviceOf, Folders } from "./logs.ts"

const folders = new Folders()
afterEach(() => folders.remove())

const entry: fc.Arbitrary<MailboxEntry> = fc.record({
  device: fc.nat(255).map(deviceOf),
  number: fc.nat(),
  index: fc.maxSafeNat(),
  salt: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(Buffer.from),
  record: fc.uint8Array({ maxLength: 2_000 }).map(Buffer.from),
})

describe("a mailbox", () => {
  test("gives back what was put in", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
        const bytes = Buffer.concat(entries.map(encodeMailboxEntry))
        expect([...mailboxEntries(bytes)]).toEqual(entries)
      }),
    )
  })

  test("of any bytes gives whole frames up to the first that is none", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 2 }), fc.uint8Array({ maxLength: 300 }), (entries, more) => {
        const whole = Buffer.concat(entries.map(encodeMailboxEntry))
        const found = [...mailboxEntries(Buffer.concat([whole, more]))]
        expect(found.slice(0, entries.length)).toEqual(entries)
      }),
    )
  })

  test("that is shorter than the state says, or holds no frames, is damage", async () => {
    const directory = await folders.make()
    await mkdir(directory)
    await writeFile(join(directory, "01"), Buffer.alloc(100))
    for (const length of [100, 101])
      await expect(new Mailboxes(directory, { "01": length }).load(deviceOf(1))).rejects.toSatisfy((error) =>
        isFault(error, "tampered"),
      )
  })
})

test("a journal of any bytes has whole groups, or none, or is damaged", async () => {
  const directory = await folders.make()
  await mkdir(directory)
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      await writeFile(
        join(directory, `journal-${"0".repeat(16)}`),
        Buffer.concat([Buffer.from("OLG1"), bytes]),
      )
      expect(await readJournal(directory, 0)).toEqual([])
    }),
  )
  expect(await readJournal(directory, 7)).toEqual([])
})

test("a record of any bytes is one of the vocabulary or malformed", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => Buffer.from(text)),
      ),
      (bytes) => {
        expect(() => decodeRecord(bytes)).toThrow(expect.toSatisfy((error) => isFault(error, "malformed")))
      },
    ),
  )
})
