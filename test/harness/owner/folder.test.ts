import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { isFault } from "../../../firmware/errors.ts"
import { OwnerFolder } from "../../../harness/owner/folder.ts"
import { BOOTS_MAX, NOTHING_SEEN } from "../../../harness/owner/tail.ts"
import { newKey } from "../cloud/camera.ts"

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "obscura-owner-"))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const refused = (kind: "usage" | "malformed") => (error: unknown) => isFault(error, kind) && error.definite

describe("an owner's folder", () => {
  test("has no cameras before the first, and lists those that were added", async () => {
    const folder = new OwnerFolder(directory)
    expect(await folder.cameras()).toEqual([])
    const keys = [newKey(), newKey()]
    for (const key of keys) await folder.addCamera(key)
    expect((await folder.cameras()).map(({ hex }) => hex).sort()).toEqual(keys.map(({ hex }) => hex).sort())
  })

  test("whose list of cameras cannot be read says so, and does not pass for one without any", async () => {
    await writeFile(join(directory, "cameras"), "a file is in the way")
    await expect(new OwnerFolder(directory).cameras()).rejects.toSatisfy(refused("usage"))
  })

  test("with a damaged record of a camera, or of what was seen of it, says which", async () => {
    const folder = new OwnerFolder(directory)
    for (const name of ["cameras", "seen"]) await mkdir(join(directory, name))
    for (const damage of ["", "{}", "not json", '{"shown":1}']) {
      await writeFile(join(directory, "cameras", "ab.json"), damage)
      await expect(folder.cameras()).rejects.toThrow("cameras/ab.json")
      await writeFile(join(directory, "seen", "ab.json"), damage)
      await expect(folder.seen("ab")).rejects.toSatisfy(refused("malformed"))
    }
  })

  test("remembers what was seen of a camera, each by itself, and nothing at first", async () => {
    const folder = new OwnerFolder(directory)
    const [one, other] = [newKey().id, newKey().id]
    expect(await folder.seen(one)).toEqual(NOTHING_SEEN)
    const seen = { ...NOTHING_SEEN, shown: { newest: 3, head: "ab".repeat(32), at: 1 } }
    await folder.remember(one, seen)
    expect([await folder.seen(one), await folder.seen(other)]).toEqual([seen, NOTHING_SEEN])
    expect(await readdir(join(directory, "seen"))).toEqual([`${one}.json`])
  })

  test("has room for as many boots as are remembered of a camera, and reads a record from before there were any", async () => {
    const folder = new OwnerFolder(directory)
    const { id } = newKey()
    const beat = { boot: "ab".repeat(16), number: Number.MAX_SAFE_INTEGER, at: 8.64e15 }
    const full = { ...NOTHING_SEEN, beat, earlier: Array.from({ length: BOOTS_MAX }, () => beat) }
    await folder.remember(id, full)
    expect(await folder.seen(id)).toEqual(full)
    const record = { shown: null, announced: null, beat }
    await writeFile(join(directory, "seen", `${id}.json`), JSON.stringify(record))
    expect(await folder.seen(id)).toEqual({ ...NOTHING_SEEN, beat })
  })
})
