import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { isFault } from "../../../firmware/errors.ts"
import { identityOf, openCloudKeys } from "../../../harness/cloud/keys.ts"

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-keys-"))
  path = join(folder, "keys.json")
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test("keys are made once, for their owner's eyes alone, and are the same ever after", async () => {
  const first = await openCloudKeys(path)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  const again = await openCloudKeys(path)
  expect(identityOf("x", again, null)).toEqual(identityOf("x", first, null))
  expect(first.receipt.hex).not.toBe(first.log.hex)
})

test("processes that start at once have the same keys, for the file is whole before it has its name", async () => {
  const opened = await Promise.all(Array.from({ length: 8 }, () => openCloudKeys(path)))
  expect(new Set(opened.map(({ receipt }) => receipt.hex)).size).toBe(1)
  expect(await readdir(folder)).toEqual(["keys.json"])
})

test("where there are keys nothing is written: a cloud starts on a full disk too", async () => {
  await openCloudKeys(path)
  const { mtimeNs } = await stat(folder, { bigint: true })
  await openCloudKeys(path)
  expect((await stat(folder, { bigint: true })).mtimeNs).toBe(mtimeNs)
})

test("an identity shows public keys and no secret", async () => {
  const keys = await openCloudKeys(path)
  const text = JSON.stringify(identityOf("x", keys, null))
  const { receipt, log } = JSON.parse(await readFile(path, "utf8"))
  expect(text).not.toContain(receipt)
  expect(text).not.toContain(log)
})

test("a key file that others can read, that is damaged, or cannot be made is one line of advice", async () => {
  await openCloudKeys(path)
  await chmod(path, 0o644)
  await expect(openCloudKeys(path)).rejects.toSatisfy((error) => isFault(error, "usage"))
  await writeFile(join(folder, "damaged"), "{}", { mode: 0o600 })
  for (const wrong of [join(folder, "damaged"), join(folder, "no", "keys.json")])
    await expect(openCloudKeys(wrong)).rejects.toSatisfy(
      (error) => isFault(error, "usage") && error.message.includes(wrong),
    )
})
