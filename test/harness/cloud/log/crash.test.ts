import { appendFile, type FileHandle, readFile, rm, truncate, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterEach, describe, expect, test, vi } from "vitest"
import { isFault } from "../../../../firmware/errors.ts"
import { AccessLog, privateFolder, publicFolder } from "../../../../harness/cloud/log/access-log.ts"
import { journalsIn } from "../../../../harness/cloud/log/journal.ts"
import { provesConsistency } from "../../../../harness/cloud/log/merkle.ts"
import { consistencyProof } from "../../../../harness/cloud/log/proofs.ts"
import { appendEach, fileHandles, headOf, treeIn } from "./appending.ts"
import { deviceOf, Folders, filesOf, openLog } from "./logs.ts"

const folders = new Folders()
afterEach(async () => {
  vi.restoreAllMocks()
  await folders.remove()
})

describe("after a crash", () => {
  test("at any byte of the journal each entry that was appended is there, at its index", async () => {
    const directory = await folders.make()
    const log = await openLog(directory)
    const commitments = await appendEach(log, 0, 4)
    const before = await headOf(directory)
    const [first = 0] = await journalsIn(privateFolder(directory))
    const name = `journal-${String(first).padStart(16, "0")}`
    const copy = await folders.copyOf(directory)
    await log.close()
    const { length } = await readFile(join(privateFolder(copy), name))
    const group = length / 4
    const ends = [1, 2, 3, 4].flatMap((groups) =>
      [-1, 0, 1].map((off) => Math.min(length, groups * group + off)),
    )
    const within = Array.from({ length: Math.ceil(length / 101) }, (_, i) => i * 101)
    for (const cut of new Set([...within, ...ends])) {
      const crashed = await folders.copyOf(copy)
      await truncate(join(privateFolder(crashed), name), cut)
      const kept = Math.floor(cut / group)
      const again = await openLog(crashed)
      expect(again.size).toBe(kept)
      await appendEach(again, 4, 6)
      await again.close()
      const head = await headOf(crashed)
      const tree = treeIn(crashed, head.size)
      expect((await tree.entries(0)).slice(0, kept)).toEqual(commitments.slice(0, kept))
      expect(provesConsistency(before, head, await consistencyProof(tree, before.size, head.size))).toBe(true)
      await rm(crashed, { recursive: true })
    }
  })

  test("with garbage behind the last group it goes on", async () => {
    const directory = await folders.make()
    const log = await openLog(directory)
    await appendEach(log, 0, 3)
    const [first = 0] = await journalsIn(privateFolder(directory))
    const crashed = await folders.copyOf(directory)
    await log.close()
    const path = join(privateFolder(crashed), `journal-${String(first).padStart(16, "0")}`)
    await appendFile(path, Buffer.concat([Buffer.from("OLG1"), Buffer.alloc(60, 0xff)]))
    const again = await openLog(crashed)
    expect(again.size).toBe(3)
    await again.close()
  })

  test("at any step of a publication all is there, and what was signed stays so", async () => {
    let steps = 0
    for (let failAt = 1; failAt <= 40; failAt++) {
      const directory = await folders.make()
      const log = await openLog(directory)
      const commitments = await appendEach(log, 0, 5)
      await log.publish()
      const before = await headOf(directory)
      commitments.push(...(await appendEach(log, 5, 9)))
      const handle = await fileHandles(directory)
      const dead = Object.assign(new Error("power cut"), { code: "EIO" })
      // The power goes at the n-th thing asked of the disk, and stays away.
      for (const call of ["datasync", "sync"] as const) {
        const real = handle[call]
        vi.spyOn(handle, call).mockImplementation(async function (this: FileHandle) {
          if (++steps >= failAt) throw dead
          return real.call(this)
        })
      }
      steps = 0
      const failed = await log.publish().then(
        () => false,
        () => true,
      )
      const crashed = await folders.copyOf(directory)
      vi.restoreAllMocks()
      await log.close()
      const again = await openLog(crashed)
      expect(again.size).toBe(9)
      await again.close()
      const head = await headOf(crashed)
      const tree = treeIn(crashed, head.size)
      expect(await tree.entries(0)).toEqual(commitments)
      expect(provesConsistency(before, head, await consistencyProof(tree, before.size, head.size))).toBe(true)
      for (const device of [0, 1, 2].map(deviceOf))
        expect((await again.mailbox(device)).map(({ number }) => number)).toEqual([0, 1, 2])
      if (!failed) return
    }
    expect.unreachable("a publication has fewer steps")
  })

  test("what was durable and is damaged is said, never passed over", async () => {
    const directory = await folders.make()
    const log = await openLog(directory)
    await appendEach(log, 0, 260)
    await log.publish()
    await appendEach(log, 260, 263)
    const copy = await folders.copyOf(directory)
    await log.close()
    const files = await filesOf(copy)
    const newest = (await headOf(copy)).size % 256
    const wrong: string[] = []
    for (const [path, bytes] of files) {
      // Full tiles are not read at opening, nor is what an earlier checkpoint had of a tile: who is shown a wrong one finds
      // that it proves nothing.
      const [, part] = /^public\/tile\/(?:0|entries)\/.*\.p\/(\d+)$/.exec(path) ?? []
      if (/^public\/tile\/.*\/\d{3}$/.test(path) || (part && Number(part) !== newest)) continue
      const crashed = await folders.copyOf(copy)
      await writeFile(
        join(crashed, path),
        bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 1 : byte)),
      )
      const opened = await openLog(crashed).catch((error: unknown) => error)
      if (opened instanceof AccessLog) {
        const isWhole = opened.size === 263 && path.startsWith("private/") && !path.includes("journal")
        if (!isWhole) wrong.push(path)
        await opened.close()
      } else if (!isFault(opened, "tampered") && !isFault(opened, "malformed"))
        wrong.push(`${path}: ${opened}`)
    }
    expect(wrong).toEqual([])
  })

  test.each(["checkpoint of more", "tile that is gone"])("it does not fork itself: a %s", async (what) => {
    const directory = await folders.make()
    const log = await openLog(directory)
    await appendEach(log, 0, 3)
    await log.publish()
    const old = await folders.copyOf(directory)
    await appendEach(log, 3, 5)
    await log.close()
    if (what === "checkpoint of more") {
      const newer = await readFile(join(publicFolder(directory), "checkpoint"))
      await writeFile(join(publicFolder(old), "checkpoint"), newer)
    } else await rm(join(publicFolder(old), "tile"), { recursive: true })
    await expect(openLog(old)).rejects.toSatisfy((error) => isFault(error, "tampered"))
  })
})
