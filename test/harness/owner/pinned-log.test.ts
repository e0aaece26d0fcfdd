import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { isFault } from "../../../firmware/errors.ts"
import * as books from "../../../harness/owner/household-book.ts"
import { openBook, sealBook } from "../../../harness/owner/household-file.ts"
import { OwnerKeys } from "../../../harness/owner/keys.ts"
import { LogMemory, pinOf } from "../../../harness/owner/log-memory.ts"
import { mutant } from "../../mutants.ts"
import { newKey } from "../cloud/camera.ts"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-pins-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const cloud = { name: "cloud.example", logKey: newKey().hex }

/** What an owner pins who has nothing but the book that was sealed at pairing. */
async function pinnedAfterRestore({ withCamera, EMPTY_BOOK }: typeof books) {
  const [keys, camera] = [await OwnerKeys.create(), newKey()]
  const { header, payload } = await sealBook(withCamera(EMPTY_BOOK, camera, 1, 0, pinOf(cloud)), keys)
  const book = await openBook(Buffer.concat([header, ...payload]), keys)
  const memory = new LogMemory(join(folder, camera.id))
  for (const { device, log } of book.cameras) if (log) await memory.pinLog(device, log)
  return memory.pinned(camera.id)
}

describe("the key of a camera's access log", () => {
  test("comes back with the household's book", async () => {
    expect(await pinnedAfterRestore(books)).toMatchObject({
      ...{ origin: "cloud.example/access-log", key: { hex: cloud.logKey } },
    })
    const path = "harness/owner/household-book.ts"
    const bent = await mutant<typeof books>(path, { path, from: "...(log ? { log } : {}),", to: "" })
    expect(await pinnedAfterRestore(bent)).toBeNull()
  })

  test("may be absent: books from before read as they are", async () => {
    const book = books.withCamera(books.EMPTY_BOOK, newKey(), 1)
    expect(books.bookShape.parse(JSON.parse(JSON.stringify(book)))).toEqual(book)
  })
})

describe("what a log must tell of", () => {
  const device = "ab".repeat(20)
  const trace = `consent ${"c".repeat(64)}`

  test("is remembered line by line, and what a power cut left of a line is none", async () => {
    const owner = join(folder, "expects")
    const memory = new LogMemory(owner)
    expect(await memory.expected(device)).toEqual([])
    await memory.expect(device, trace)
    await memory.expect(device, `consent ${"d".repeat(64)}`)
    await writeFile(join(owner, "log", "expected", device), `${trace}\nconsent ${"d".repeat(20)}`)
    expect(await memory.expected(device)).toEqual([trace])
  })

  test("is a trace of a forced kind", async () => {
    const memory = new LogMemory(join(folder, "none"))
    for (const wrong of ["", "consent", `support ${"c".repeat(64)}`, `${trace}\n${trace}`])
      await expect(memory.expect(device, wrong)).rejects.toSatisfy((error) => isFault(error, "broken"))
  })
})
