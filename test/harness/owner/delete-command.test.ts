import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest"
import { deletedShape } from "../../../firmware/control/deletion-messages.ts"
import { verify } from "../../../firmware/control/dsse.ts"
import { type Cloud, startCloud } from "../../../harness/cloud/broker.ts"
import { openBucket, readBucket } from "../../../harness/cloud/bucket.ts"
import { type CloudKeys, openCloudKeys } from "../../../harness/cloud/keys.ts"
import { ownerCommand } from "../../../harness/commands/owner.ts"
import { OwnerFolder } from "../../../harness/owner/folder.ts"
import { openHome } from "../home.ts"

/** A household of one camera that has recorded two clips. Each test has its cloud and its owner anew. */
let folder: string
let keys: CloudKeys
let cloud: Cloud
let household: string
const recorded = () => join(folder, "recorded")
const bucket = () => join(household, "cloud", "bucket")

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-delete-"))
  keys = await openCloudKeys(join(folder, "cloud-keys.json"))
  const owner = new OwnerFolder(join(recorded(), "owner"))
  const secret = await owner.create("x25519", null)
  cloud = await cloudOn(join(recorded(), "cloud", "bucket"))
  const home = await openHome({ cloud, keys: secret })
  await owner.addCamera(await home.pair())
  const stop = home.run()
  await home.line(({ event }) => event === "connected")
  for (const clips of [1, 2]) {
    await home.board.clock.sleep(1_100)
    home.visitor.moves(true)
    await home.board.clock.sleep(1_500)
    home.visitor.moves(false)
    await vi.waitUntil(() => linesOf("clip recorded") === clips, 15_000)
  }
  const objects = () =>
    home.lines.reduce((sum, line) => sum + (line.event === "clip recorded" ? line.objects : 0), 0)
  await vi.waitUntil(() => cloud.bucket.objectCount === objects(), 15_000)
  await stop()
  await cloud.close()

  function linesOf(event: string): number {
    return home.lines.filter((line) => line.event === event).length
  }
}, 60_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

beforeEach(async () => {
  household = await mkdtemp(join(folder, "household-"))
  await mkdir(join(household, "cloud"))
  await cp(join(recorded(), "owner"), join(household, "owner"), { recursive: true })
  const files = await readdir(join(recorded(), "cloud", "bucket"))
  await mkdir(bucket())
  for (const name of files.filter((each) => each !== "lock"))
    await cp(join(recorded(), "cloud", "bucket", name), join(bucket(), name))
  cloud = await cloudOn(bucket())
  await writeFile(join(household, "cloud", "identity.json"), `${JSON.stringify(cloud.identity)}\n`)
})
afterEach(() => cloud.close())

function cloudOn(directory: string): Promise<Cloud> {
  const log = { write: () => undefined }
  return startCloud({ host: "127.0.0.1", port: 0, name: "cloud.example", directory, keys, log })
}

/** `obscura owner WORDS` in this process. */
async function owner(...words: readonly string[]): Promise<{ code: number; output: string }> {
  const lines: string[] = []
  const spies = [vi.spyOn(console, "log"), vi.spyOn(console, "error")]
  for (const spy of spies) spy.mockImplementation((line: unknown) => void lines.push(String(line)))
  process.exitCode = 0
  try {
    await ownerCommand()
      .exitOverride()
      .parseAsync([...words, "--home", household], { from: "user" })
    return { code: Number(process.exitCode), output: lines.join("\n") }
  } finally {
    process.exitCode = undefined
    for (const spy of spies) spy.mockRestore()
  }
}

const remove = (...words: readonly string[]) =>
  owner("delete", ...words, "--broker", `mqtt://127.0.0.1:${cloud.port}`, "--wait", "10")

async function clipsListed(): Promise<readonly string[]> {
  const { output } = await owner("list")
  return [...output.matchAll(/^ {2}([0-9a-f]{32}) /gm)].map(([, clip]) => clip ?? "")
}

describe("obscura owner delete", () => {
  test("deletes a clip, keeps the cloud's signature under it, and nothing is amiss afterwards", async () => {
    const [first = "", second = ""] = await clipsListed()
    const asked = await remove(first.slice(0, 10))
    expect(asked.output).toMatch(
      /^would delete 1 clips of camera [0-9a-f]{40}, \d+ objects\nnothing was deleted/,
    )
    expect(await clipsListed()).toEqual([first, second])
    const done = await remove(first.slice(0, 10), "--yes")
    expect(done).toEqual({
      code: 0,
      output: expect.stringMatching(/the cloud signed that \d+ objects are gone/),
    })
    expect(await clipsListed()).toEqual([second])
    const opened = await owner("open", first, "--out", join(household, "opened"))
    expect([opened.code, opened.output]).toEqual([1, expect.stringMatching(/segments are not in the bucket/)])
    const rest = await owner("open", "--out", join(household, "opened"))
    expect([rest.code, await readdir(join(household, "opened"))]).toEqual([0, [`${second}.mp4`]])
    const [record = ""] = await readdir(join(household, "owner", "deletions"))
    const { statement, objects } = JSON.parse(
      await readFile(join(household, "owner", "deletions", record), "utf8"),
    )
    const claim = verify("deleted", Buffer.from(statement, "base64"), keys.receipt, deletedShape)
    expect([claim.objects, claim.basis]).toEqual([objects.length, "claim"])
    const here = await readBucket(bucket())
    for (const id of objects) expect(await here.objectBytes(id)).toBe(null)
    expect(await owner("verify")).toEqual({
      code: 0,
      output: expect.stringMatching(/ 0 amiss$|0 amiss\n {2}- /),
    })
    expect((await owner("list")).output).toContain(": 1 clips, and 1 deleted or let go")
    expect((await remove("--all", "--yes")).code).toBe(0)
    expect((await readBucket(bucket())).objectCount).toBe(0)
    expect((await owner("verify")).code).toBe(0)
    expect((await owner("resend", "--broker", `mqtt://127.0.0.1:${cloud.port}`)).output).toBe(
      "nothing is missing",
    )
  })

  test("by date takes what was recorded before, by the camera's sealed word", async () => {
    expect((await remove("--before", "2020-01-01", "--yes")).output).toBe("nothing to delete")
    expect(await clipsListed()).toHaveLength(2)
    expect((await remove("--before", "2099-01-01", "--yes")).code).toBe(0)
    expect(await clipsListed()).toEqual([])
  })

  test("names what a cloud shows that it had signed away", async () => {
    const [first = ""] = await clipsListed()
    await remove(first, "--yes")
    await cloud.close()
    for (const name of await readdir(bucket())) if (name.startsWith("volume")) await rm(join(bucket(), name))
    for (const name of await readdir(join(recorded(), "cloud", "bucket")))
      if (name.startsWith("volume")) await cp(join(recorded(), "cloud", "bucket", name), join(bucket(), name))
    const { code, output } = await owner("verify")
    expect([code, output]).toEqual([
      1,
      expect.stringMatching(/! object [0-9a-f]{32}: the cloud signed that it had/),
    ])
    cloud = await cloudOn(bucket())
  })

  test("a cloud that says of what it lost that it was deleted is not believed", async () => {
    const { output } = await owner("list")
    const device = /camera ([0-9a-f]{40})/.exec(output)?.[1] ?? ""
    await cloud.close()
    const lying = await openBucket(bucket())
    await lying.remove({ device, cause: "deleted", request: "ab".repeat(32), select: { everything: true } })
    await lying.close()
    expect(await owner("verify")).toEqual({ code: 1, output: expect.stringMatching(/is not in the bucket/) })
    cloud = await cloudOn(bucket())
  })

  test("what the cloud let go by its rules is said to be let go, and is not missing", async () => {
    const device = /camera ([0-9a-f]{40})/.exec((await owner("list")).output)?.[1] ?? ""
    await cloud.close()
    const full = await openBucket(bucket())
    await full.remove({ device, cause: "quota", request: null, select: { everything: true } })
    await full.close()
    expect((await owner("list")).output).toContain(": 0 clips, and 2 deleted or let go")
    expect((await owner("verify")).code).toBe(0)
    cloud = await cloudOn(bucket())
  })

  test("refuses to guess: no clip, a wrong name, a wrong date, two ways at once", async () => {
    await expect(remove()).rejects.toThrow("name clips, or say --before DATE, or --all")
    await expect(remove("--all", "--before", "2026-01-01")).rejects.toThrow("name clips, or say")
    await expect(remove("xyz")).rejects.toThrow("no clip begins with xyz")
    await expect(remove("--before", "yesterday")).rejects.toThrow()
  })

  test("a cloud that does not answer is one line and exit code 1, and nothing is taken for deleted", async () => {
    const [first = ""] = await clipsListed()
    await cloud.close()
    const away = remove(first, "--yes", "--wait", "1")
    await expect(away).rejects.toMatchObject({ kind: "unavailable" })
    expect(await clipsListed()).toHaveLength(2)
    cloud = await cloudOn(bucket())
  })
})
