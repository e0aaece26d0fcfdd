import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { FolderFiles } from "../../../harness/owner/folder-files.ts"

test("a file that cannot be written leaves nothing half written beside it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "obscura-files-"))
  await mkdir(join(folder, "key.json", "in-the-way"), { recursive: true })
  const write = new FolderFiles(folder).replace("key.json", Buffer.from("secret"))
  await expect(write).rejects.toMatchObject({ kind: "usage" })
  expect(await readdir(folder)).toEqual(["key.json"])
  await rm(folder, { recursive: true, force: true })
})
