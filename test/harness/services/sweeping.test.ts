import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { keepSwept } from "../../../harness/services/sweeping.ts"

let cloud: string
beforeEach(async () => {
  cloud = await mkdtemp(join(tmpdir(), "obscura-sweep-"))
})
afterEach(() => rm(cloud, { recursive: true, force: true }))

async function lay(path: string, hoursOld = 0, text = "{}"): Promise<void> {
  const file = join(cloud, "services", path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  const at = new Date(Date.now() - hoursOld * 3_600_000)
  await utimes(file, at, at)
}

/** Once. Gives what went wrong. */
async function sweep(): Promise<readonly unknown[]> {
  const faults: unknown[] = []
  await keepSwept(cloud, {} as never, (error) => faults.push(error))()
  return faults
}

const left = async (folder: string) => (await readdir(join(cloud, "services", folder))).sort()

test("what support asked and was answered goes after a day, with its box; what is of today stays", async () => {
  const [old, young] = ["0".repeat(40), "1".repeat(40)]
  for (const end of ["request", "answer"]) await lay(`support/boxes/${old}/${"a".repeat(32)}.${end}`, 26)
  await lay(`support/boxes/${young}/${"b".repeat(32)}.request`, 23)
  expect(await sweep()).toEqual([])
  expect(await left("support/boxes")).toEqual([young])
  expect(await left(`support/boxes/${young}`)).toHaveLength(1)
})

test("what a crash left of the list of staff half written goes: second factors are in it", async () => {
  await lay("staff/staff.json.0123.new", 0, "secret")
  await lay("staff/staff.json", 0, '{"format":1,"staff":[]}')
  expect(await sweep()).toEqual([])
  expect(await left("staff")).toEqual(["staff.json"])
})

test("a damaged service is told of, and keeps no other from letting go", async () => {
  await lay("labelling/ledger.json", 0, "{")
  await lay(`neighbours/posts/${"c".repeat(32)}.age`, 0, "of which nobody has said until when")
  expect(await sweep()).toMatchObject([{ kind: "malformed" }])
  expect(await left("neighbours/posts")).toEqual([])
})
