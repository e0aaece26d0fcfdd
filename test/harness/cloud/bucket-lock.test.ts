import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { lockFolder } from "../../../harness/cloud/bucket-lock.ts"
import { ServiceFolder } from "../../../harness/services/service-folder.ts"

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-lock-"))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** As a process leaves it that was killed. */
function leaveDeadLock(): void {
  const path = JSON.stringify(join(folder, "lock"))
  const die = "() => process.kill(process.pid, 'SIGKILL')"
  spawnSync(process.execPath, ["-e", `require("node:net").createServer().listen(${path}, ${die})`])
  if (!existsSync(join(folder, "lock"))) throw new Error("it left nothing")
}

test("of many that find a dead lock at once, one has the folder", async () => {
  for (let round = 0; round < 12; round++) {
    leaveDeadLock()
    const locks = await Promise.allSettled(Array.from({ length: 5 }, () => lockFolder(folder)))
    const won = locks.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []))
    expect(won).toHaveLength(1)
    for (const unlock of won) await unlock()
    expect(await readdir(folder)).toEqual([])
  }
}, 30_000)

test("a path that no lock fits into is said at once, and to be that", async () => {
  const deep = new ServiceFolder(join(folder, "d".repeat(100)))
  await expect(deep.inTurn(async () => undefined)).rejects.toMatchObject({
    kind: "usage",
    message: expect.stringContaining("the path is too long"),
  })
})
