import type { FileHandle } from "node:fs/promises"
import { afterEach, describe, expect, test, vi } from "vitest"
import { isFault } from "../../../../firmware/errors.ts"
import { AccessLog, publicFolder } from "../../../../harness/cloud/log/access-log.ts"
import { equal, foldHashes, leafHash, provesConsistency } from "../../../../harness/cloud/log/merkle.ts"
import { consistencyProof, rootOf } from "../../../../harness/cloud/log/proofs.ts"
import { commitmentOf, decodeRecord, NO_RECORD } from "../../../../harness/cloud/log/records.ts"
import { decodeEntries, decodeHashes, tilePath } from "../../../../harness/cloud/log/tiles.ts"
import { mutant } from "../../../mutants.ts"
import { appendEach, appendTogether, fileHandles, headOf, treeIn } from "./appending.ts"
import { accessTo, deviceOf, Folders, filesOf, LOG, LOG_KEY, openLog } from "./logs.ts"

const folders = new Folders()
afterEach(async () => {
  vi.restoreAllMocks()
  await folders.remove()
})

describe("the access log", () => {
  test.each([0, 1, 2, 255, 256, 257, 700])(
    "of %i entries is signed for the tree over them",
    async (count) => {
      const directory = await folders.make()
      const log = await openLog(directory)
      const commitments = await appendTogether(log, count)
      await log.close()
      const head = await headOf(directory)
      expect(head.size).toBe(count)
      expect(equal(head.root, foldHashes(commitments.map(leafHash)))).toBe(true)
      expect(equal(await rootOf(treeIn(directory, count), count), head.root)).toBe(true)
    },
  )

  test("lies in the tiles that the specification names, and no others", async () => {
    const directory = await folders.make()
    const log = await openLog(directory)
    const commitments = await appendTogether(log, 600)
    await log.close()
    const files = await filesOf(publicFolder(directory))
    expect([...files.keys()].sort()).toEqual([
      "checkpoint",
      "tile/0/000",
      "tile/0/001",
      "tile/0/002.p/88",
      "tile/1/000.p/2",
      "tile/entries/000",
      "tile/entries/001",
      "tile/entries/002.p/88",
    ])
    const hashes = commitments.map(leafHash)
    const bytes = (path: string) => files.get(path) ?? Buffer.alloc(0)
    expect(decodeHashes(bytes("tile/0/001"), 256)).toEqual(hashes.slice(256, 512))
    expect(decodeEntries(bytes("tile/entries/002.p/88"), 88)).toEqual(commitments.slice(512))
    expect(decodeHashes(bytes("tile/1/000.p/2"), 2)).toEqual([
      foldHashes(hashes.slice(0, 256)),
      foldHashes(hashes.slice(256, 512)),
    ])
    expect(tilePath(0, 1_234_067, 256)).toBe("tile/0/x001/x234/067")
    expect(tilePath("entries", 70_000, 112)).toBe("tile/entries/x070/000.p/112")
  })

  test("grows over openings, and each checkpoint continues every one before", async () => {
    const directory = await folders.make()
    const heads = []
    for (const count of [1, 200, 1, 54, 1, 300, 0, 3]) {
      const log = await openLog(directory)
      await appendTogether(log, count)
      await log.close()
      heads.push(await headOf(directory))
    }
    const last = heads.at(-1) ?? heads[0]
    for (const head of heads) {
      if (!last) break
      const proof = await consistencyProof(treeIn(directory, last.size), head.size, last.size)
      expect(provesConsistency(head, last, proof)).toBe(true)
    }
    expect(last?.size).toBe(560)
  })

  test("says to whoever reads its tree nothing of whom, what or when", async () => {
    const directory = await folders.make()
    const log = await openLog(directory)
    // The same access twice: even then nothing in the tree is alike.
    const device = deviceOf(1)
    await Promise.all([1, 1, 2].map((n) => log.append(accessTo(device, n))))
    await log.close()
    const entries = await log.mailbox(device)
    expect(entries).toHaveLength(3)
    const shown = Buffer.concat([...(await filesOf(publicFolder(directory))).values()])
    for (const { record, salt } of entries) {
      for (const secret of [salt, record, Buffer.from(device), Buffer.from(device, "hex")])
        expect(shown.includes(Buffer.from(secret))).toBe(false)
      expect(shown.includes(leafHash(record))).toBe(false)
    }
    expect(new Set(entries.map(({ salt }) => Buffer.from(salt).toString("hex"))).size).toBe(3)
  })

  test("hands each device its own records, counted and chained", async () => {
    const directory = await folders.make()
    const log = await openLog(directory)
    await appendEach(log, 0, 10)
    await log.close()
    const again = await openLog(directory)
    await appendEach(again, 10, 20)
    await again.publish()
    for (const device of [0, 1, 2].map(deviceOf)) {
      let previous = NO_RECORD
      const entries = await again.mailbox(device)
      for (const [number, { record, salt, index }] of entries.entries()) {
        const logged = decodeRecord(record)
        expect(logged).toMatchObject({ number, previous })
        expect(logged.record).toEqual(accessTo(device, index))
        previous = commitmentOf(salt, record).toString("hex")
      }
      expect(entries.length).toBeGreaterThanOrEqual(6)
    }
    expect(await again.mailbox(deviceOf(9))).toEqual([])
    await again.close()
  })

  test.each([
    { reason: "" },
    { reason: "   " },
    { reason: "two\nlines" },
    { reason: "x".repeat(201) },
    { device: "camera" },
    { kind: "looked" },
    { at: -1 },
    { account: "a@b.example" },
  ])("takes no record with %j", async (wrong) => {
    const log = await openLog(await folders.make())
    const record = { ...accessTo(deviceOf(1), 1), ...wrong } as never
    await expect(log.append(record)).rejects.toSatisfy((error) => isFault(error, "malformed"))
    expect(log.size).toBe(0)
    await log.close()
    await expect(log.append(accessTo(deviceOf(1), 1))).rejects.toSatisfy((error) =>
      isFault(error, "unavailable"),
    )
  })

  test("is one process's at a time", async () => {
    const directory = await folders.make()
    const log = await openLog(directory)
    await expect(openLog(directory)).rejects.toSatisfy((error) => isFault(error, "usage"))
    await log.close()
  })
})

describe("an append", () => {
  test("resolves after its bytes are synced, not before", async () => {
    expect(await resolvesBeforeSync(AccessLog)).toBe(false)
  })

  test("that did not wait for the sync would be seen to", async () => {
    const mistake = {
      path: "harness/cloud/log/journal.ts",
      from: "      await this.#file.datasync()\n    } catch (error) {\n      this.#failed",
      to: "      void this.#file.datasync()\n    } catch (error) {\n      this.#failed",
    }
    type Module = typeof import("../../../../harness/cloud/log/access-log.ts")
    const unsafe = await mutant<Module>("harness/cloud/log/access-log.ts", mistake)
    expect(await resolvesBeforeSync(unsafe.AccessLog)).toBe(true)
  })

  test("on a disk that fails to sync is neither kept nor lost for certain, and no later one is taken", async () => {
    const directory = await folders.make()
    const log = await openLog(directory)
    await appendEach(log, 0, 3)
    const handle = await fileHandles(directory)
    const sync = vi.spyOn(handle, "datasync").mockRejectedValueOnce(new Error("EIO"))
    await expect(log.append(accessTo(deviceOf(1), 3))).rejects.toSatisfy(
      (error) => isFault(error, "unavailable") && !error.definite,
    )
    sync.mockRestore()
    await expect(log.append(accessTo(deviceOf(1), 4))).rejects.toSatisfy((error) => isFault(error))
    await log.close()
    const again = await openLog(directory)
    expect(again.size).toBeGreaterThanOrEqual(3)
    await appendEach(again, 4, 6)
    await again.close()
    expect((await headOf(directory)).size).toBe(again.size)
  })

  test("on a full disk is refused for certain, and the log goes on when there is room", async () => {
    const directory = await folders.make()
    const log = await openLog(directory)
    await appendEach(log, 0, 3)
    const handle = await fileHandles(directory)
    const full = Object.assign(new Error("no space"), { code: "ENOSPC" })
    vi.spyOn(handle, "write").mockRejectedValueOnce(full)
    await expect(log.append(accessTo(deviceOf(1), 3))).rejects.toSatisfy(
      (error) => isFault(error, "full") && error.definite,
    )
    expect(log.isAble).toBe(false)
    // By itself it finds that there is room again.
    await vi.waitUntil(() => log.isAble, { timeout: 5_000 })
    const cut = await openLog(await folders.copyOf(directory))
    expect(cut.size).toBe(3)
    await cut.close()
    await appendEach(log, 3, 5)
    await log.close()
    const again = await openLog(directory)
    expect(again.size).toBe(5)
    await again.close()
  })
})

async function resolvesBeforeSync(kind: typeof AccessLog): Promise<boolean> {
  const directory = await folders.make()
  const log = await kind.open({ directory, origin: LOG.origin, key: LOG_KEY })
  const handle = await fileHandles(directory)
  const datasync = handle.datasync
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  let asked: () => void = () => undefined
  const syncing = new Promise<void>((resolve) => {
    asked = resolve
  })
  vi.spyOn(handle, "datasync").mockImplementation(async function (this: FileHandle) {
    asked()
    await held
    return datasync.call(this)
  })
  let resolved = false
  const appending = log.append(accessTo(deviceOf(1), 1)).then(() => {
    resolved = true
  })
  await syncing
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  const early = resolved
  release()
  await appending
  await log.close()
  return early
}

test("a tile or bundle of any bytes is that many hashes, or entries, or malformed", () => {
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.alloc(31),
    Buffer.alloc(33),
    Buffer.from([0, 9, 1]),
    Buffer.alloc(5),
  ])
    for (const decode of [decodeHashes, decodeEntries])
      expect(() => decode(bytes, 1)).toThrow(expect.toSatisfy((error) => isFault(error, "malformed")))
  expect(decodeEntries(Buffer.from([0, 1, 7, 0, 0]), 2)).toHaveLength(2)
})
