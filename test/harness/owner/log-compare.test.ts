import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterEach, describe, expect, test } from "vitest"
import { signingKeyOf } from "../../../firmware/control/keys.ts"
import { isFault } from "../../../firmware/errors.ts"
import { signCheckpoint } from "../../../harness/cloud/log/checkpoint.ts"
import { folderSource, type LogSource } from "../../../harness/cloud/log/log-source.ts"
import { compareCheckpoints, exportCheckpoint } from "../../../harness/owner/log-compare.ts"
import { LogMemory } from "../../../harness/owner/log-memory.ts"
import { LOG, LOG_KEY } from "../cloud/log/logs.ts"
import { accesses, folders, logOf, look, OURS, THEIRS } from "./look-at-log.ts"

afterEach(() => folders.remove())

describe("owners who compare", () => {
  const compare = async (message: Uint8Array, source: LogSource) =>
    compareCheckpoints(message, (await look(source)).checkpoint, LOG, source)

  test.each([null, 4])(
    "find one log where there is one, whoever looked first (export since %j)",
    async (since) => {
      const source = await logOf(accesses(0, 4))
      const early = folderSource(await folders.copyOf(source.directory))
      await logOf(accesses(4, 300), source.directory)
      const [old, now] = await Promise.all(
        [early, source].map(async (each) =>
          exportCheckpoint((await look(each)).checkpoint, each === early ? null : since, each),
        ),
      )
      if (!old || !now) throw new Error("two exports")
      expect(await compare(now, source)).toMatchObject({ outcome: "same", theirs: { size: 300 } })
      expect(await compare(old, source)).toMatchObject({ outcome: "older", theirs: { size: 4 } })
      // Who has the older log needs the proof, or tiles that go further than their own checkpoint.
      const tiles = since === null ? { ...early, tile: source.tile } : early
      expect(await compare(now, tiles)).toMatchObject({ outcome: "newer", theirs: { size: 300 } })
    },
  )

  test.each([
    [9, 9],
    [9, 14],
    [14, 9],
  ])("find a split view: %i entries here, %i there, both signed", async (here, there) => {
    const ours = await logOf(accesses(0, here))
    const theirs = await logOf(accesses(0, there))
    const message = await exportCheckpoint((await look(theirs)).checkpoint, null, theirs)
    // Salts differ, so the same accesses make two trees: what a cloud does that shows each owner a log of their own.
    const compared = await compare(message, there > here ? { ...ours, tile: theirs.tile } : ours)
    expect(compared).toMatchObject({ outcome: "fork", theirs: { size: there } })
    if (compared.outcome !== "fork") return
    for (const note of compared.notes) expect(note).toContain(LOG.origin)
  })

  test("believe no checkpoint that the log did not sign", async () => {
    const source = await logOf(accesses(0, 4))
    const { checkpoint } = await look(source)
    const forged = signCheckpoint(checkpoint, signingKeyOf(Buffer.alloc(32, 4)))
    await expect(compare(forged, source)).rejects.toSatisfy((error) => isFault(error, "tampered"))
    await expect(compare(Buffer.from("hello"), source)).rejects.toSatisfy((error) =>
      isFault(error, "malformed"),
    )
  })

  test("are told nothing where the log does not show enough", async () => {
    const source = await logOf(accesses(0, 4))
    const root = Buffer.alloc(32, 5)
    const newer = signCheckpoint({ origin: LOG.origin, size: 9, root }, LOG_KEY)
    await expect(compare(newer, source)).rejects.toSatisfy((error) => isFault(error, "unavailable"))
  })
})

describe("what an owner keeps", () => {
  test("is durable: the pinned key and the checkpoint seen last", async () => {
    const folder = await folders.make()
    await new LogMemory(folder).pin(OURS, { name: "cloud.example", logKey: LOG_KEY.hex })
    const source = await logOf(accesses(0, 4))
    const { seen } = await look(source)
    if (seen) await new LogMemory(folder).remember(LOG, seen)
    const memory = new LogMemory(folder)
    expect((await memory.pinned(OURS))?.key.hex).toBe(LOG_KEY.hex)
    expect(await memory.seen(LOG)).toEqual(seen)
    expect(await memory.pinned(THEIRS)).toBeNull()
    await writeFile(join(folder, "log", "seen", `${LOG_KEY.hex}.json`), "{}")
    await expect(memory.seen(LOG)).rejects.toSatisfy((error) => isFault(error, "malformed"))
  })
})
