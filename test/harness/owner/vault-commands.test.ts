import { execFileSync } from "node:child_process"
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, type onTestFinished, test, vi } from "vitest"
import { type Cloud, startCloud } from "../../../harness/cloud/broker.ts"
import { openCloudKeys } from "../../../harness/cloud/keys.ts"
import { OwnerFolder } from "../../../harness/owner/folder.ts"
import { judge } from "../../support.ts"
import { type Home, openHome, recordClip } from "../home.ts"
import { owner } from "./run-command.ts"

/**
 * A household of one camera that has recorded two clips, and its bucket as it was after each of them. All that follows
 * is what its owner's commands say of it.
 */
let folder: string
let camera: Home
const household = () => join(folder, "household")
const bucketAfter = (clips: number) => join(folder, `bucket-${clips}`)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-vault-"))
  const ownerFolder = new OwnerFolder(join(household(), "owner"))
  const keys = await ownerFolder.create("x25519", null)
  let home: Home | null = null
  for (const clips of [1, 2]) {
    const cloud = await openCloud(clips - 1)
    const next: Home = await openHome({ cloud, keys, board: home ? { disk: home.board.disk } : {} })
    if (!home) await ownerFolder.addCamera(await next.pair())
    home = next
    await deliverClip(home)
    await cloud.close()
    camera = home
  }
}, 60_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

async function openCloud(clipsBefore: number): Promise<Cloud> {
  const directory = bucketAfter(clipsBefore + 1)
  if (clipsBefore > 0) await cp(bucketAfter(clipsBefore), directory, { recursive: true })
  return cloudOn(directory)
}

async function cloudOn(directory: string): Promise<Cloud> {
  const keys = await openCloudKeys(join(folder, "cloud-keys.json"))
  const log = { write: () => undefined }
  return startCloud({ host: "127.0.0.1", port: 0, name: "cloud.example", directory, keys, log })
}

/** Until the cloud has all of it, and a heartbeat that announces it. */
async function deliverClip(home: Home): Promise<void> {
  const stop = home.run()
  const clip = await recordClip(home)
  while (!(await isDelivered(home, clip))) await home.board.clock.sleep(50)
  await home.board.clock.sleep(2 * home.config.link.heartbeatEvery)
  await stop()
}

async function isDelivered(home: Home, clip: string): Promise<boolean> {
  const objects = home.lines.flatMap((line) =>
    line.event === "clip recorded" && line.clip === clip ? [line.objects] : [],
  )
  const parcels = home.lines.filter((line) => line.event === "received" && line.clips.includes(clip))
  const entries = parcels.reduce(
    (sum, line) => sum + (line.event === "received" ? line.to - line.from + 1 : 0),
    0,
  )
  return objects[0] !== undefined && entries >= objects[0]
}

/** A household that looks for the first time: it remembers nothing yet. */
async function newcomer(name: string): Promise<string> {
  await cp(join(household(), "owner", "cameras"), join(folder, name, "owner", "cameras"), { recursive: true })
  await cp(join(household(), "owner", "recovery-kit.txt"), join(folder, name, "owner", "recovery-kit.txt"))
  return join(folder, name)
}

describe("obscura owner verify", () => {
  test("finds nothing amiss in what an honest cloud shows, then or later", async () => {
    for (const clips of [1, 2, 2]) {
      const verified = await owner("verify", "--home", household(), "--bucket", bucketAfter(clips))
      expect(verified).toEqual({ code: 0, output: expect.stringMatching(/: \d+ objects .* 0 amiss$/) })
    }
  })

  test("names what a cloud withholds from the end, by the camera's own heartbeat", async () => {
    const hiding = join(folder, "hiding")
    await cp(bucketAfter(1), hiding, { recursive: true })
    await cp(join(bucketAfter(2), "heartbeats"), join(hiding, "heartbeats"))
    const { code, output } = await owner("verify", "--home", await newcomer("first"), "--bucket", hiding)
    expect(code).toBe(1)
    expect(output).toMatch(/! withheld: \d+ entries after sequence \d+/)
  })

  test("notices a whole bucket that was put back, with its heartbeats", async () => {
    const home = await newcomer("second")
    expect((await owner("verify", "--home", home, "--bucket", bucketAfter(2))).code).toBe(0)
    const { code, output } = await owner("verify", "--home", home, "--bucket", bucketAfter(1))
    expect(code).toBe(1)
    expect(output).toMatch(/! rolled back: the cloud shows less than it did on 20\d\d-\d\d-\d\dT/)
    expect((await owner("list", "--home", home, "--bucket", bucketAfter(1))).output).toContain("rolled back")
  })

  test("says so where there is no sign of life at all", async () => {
    const silent = join(folder, "silent")
    await cp(bucketAfter(2), silent, { recursive: true })
    await rm(join(silent, "heartbeats"))
    const { code, output } = await owner("verify", "--home", await newcomer("third"), "--bucket", silent)
    expect([code, output.includes("- no heartbeat at all")]).toEqual([0, true])
  })
})

/** A cloud that has lost the second clip, but not the heartbeat that announced it; the camera has both, and runs. */
async function forgetfulCloud(name: string, onFinished: typeof onTestFinished) {
  const [bucket, home] = [join(folder, `${name}-bucket`), await newcomer(name)]
  await cp(bucketAfter(1), bucket, { recursive: true })
  await cp(join(bucketAfter(2), "heartbeats"), join(bucket, "heartbeats"))
  const cloud = await cloudOn(bucket)
  onFinished(() => cloud.close())
  await mkdir(join(home, "cloud"))
  await writeFile(join(home, "cloud", "identity.json"), `${JSON.stringify(cloud.identity)}\n`)
  const running = await openHome({ cloud, keys: camera.keys, board: { disk: camera.board.disk } })
  const stop = running.run()
  onFinished(stop)
  await running.line(({ event }) => event === "connected")
  const where = ["--home", home, "--bucket", bucket]
  return { stop, where, broker: ["--broker", `mqtt://127.0.0.1:${cloud.port}`] }
}

describe("obscura owner resend", () => {
  test("has the camera send again what its cloud lost, until nothing is missing", async ({
    onTestFinished,
  }) => {
    const { where, broker } = await forgetfulCloud("lost", onTestFinished)
    expect((await owner("verify", ...where)).output).toContain("! withheld: ")
    const asked = await owner("resend", ...where, ...broker)
    expect(asked).toEqual({
      code: 0,
      output: expect.stringMatching(
        /^camera [0-9a-f]{40}, sequences \d+ to \d+: \d+ objects on their way, 0 no/,
      ),
    })
    await vi.waitUntil(async () => (await owner("verify", ...where)).code === 0, 10_000)
    expect((await owner("list", ...where)).output.match(/ whole /g)).toHaveLength(2)
    expect(await owner("resend", ...where, ...broker)).toEqual({ code: 0, output: "nothing is missing" })
  }, 60_000)

  test("takes the beginnings of clips' and objects' ids, and says it when no answer comes", async ({
    onTestFinished,
  }) => {
    const { stop, where, broker } = await forgetfulCloud("named", onTestFinished)
    const clip = /^ {2}([0-9a-f]{32}) /m.exec((await owner("list", ...where)).output)?.[1] ?? ""
    const asked = await owner("resend", clip.slice(0, 12), ...where, ...broker)
    expect([asked.code, asked.output]).toEqual([0, expect.stringMatching(/ objects on their way/)])
    await stop()
    const silent = await owner("resend", clip, ...where, ...broker, "--wait", "1")
    expect(silent).toEqual({
      code: 1,
      output: expect.stringMatching(
        /^obscura: camera [0-9a-f]{40} has not answered within 1 s: .*again later$/,
      ),
    })
  }, 60_000)

  test("refuses a name that nothing has, a cloud that is not there, and an owner that is none", async () => {
    const home = await newcomer("refused")
    const where = ["--home", home, "--bucket", bucketAfter(1)]
    const clip = /^ {2}([0-9a-f]{32}) /m.exec((await owner("list", ...where)).output)?.[1] ?? ""
    await expect(owner("resend", "xyz", ...where)).rejects.toThrow("no clip or object begins with xyz;")
    await expect(owner("resend", clip, ...where)).rejects.toThrow("no cloud has left its identity there")
    await mkdir(join(home, "cloud"))
    await writeFile(join(home, "cloud", "identity.json"), `${JSON.stringify(camera.cloud.identity)}\n`)
    const away = owner("resend", clip, ...where, "--broker", "mqtt://127.0.0.1:1")
    await expect(away).rejects.toMatchObject({ kind: "unavailable" })
    await expect(owner("resend", clip, ...where, "--broker", "elsewhere")).rejects.toThrow("broker URL")
    await expect(owner("resend", "--home", join(folder, "nobody"))).rejects.toThrow("no owner here yet")
  })
})

describe("obscura owner open", () => {
  test.each([[[]], [["--sealed"]]])("%j with nothing to open leaves no folder behind", async (words) => {
    const nowhere = join(folder, "never-made")
    const open = (...more: readonly string[]) => owner("open", ...words, "--out", nowhere, ...more)
    await expect(open("--home", join(folder, "nobody"))).rejects.toThrow("no owner here yet")
    const lonely = join(folder, `lonely${words.length}`)
    await new OwnerFolder(join(lonely, "owner")).create("x25519", null)
    await expect(open("--home", lonely)).rejects.toThrow("no camera is paired yet")
    await expect(open("xyz", "--home", household(), "--bucket", bucketAfter(2))).rejects.toThrow(
      "no clip begins",
    )
    const left = await readdir(folder)
    expect(left).not.toContain("never-made")
    expect(left).not.toContain("nobody")
  })
})

describe("obscura owner open --sealed", () => {
  const out = () => join(folder, "sealed")

  test("writes a folder for each clip, in which *.age are its segments in order, and opens nothing", async () => {
    await owner("open", "--sealed", "--out", out(), "--home", household(), "--bucket", bucketAfter(2))
    const clips = await readdir(out())
    expect(clips).toHaveLength(2)
    for (const clip of clips) {
      const files = (await readdir(join(out(), clip))).sort()
      expect(files.filter((name) => name.endsWith(".age"))[0]).toBe("000000.age")
      expect(files.at(-1)).toBe("about")
      expect(await readdir(join(out(), clip, "about"))).toEqual(["summary.age", "thumbnail.age"])
      const first = await readFile(join(out(), clip, "000000.age"))
      expect(first.subarray(0, 22).toString()).toBe("age-encryption.org/v1\n")
      expect(first.includes("ftyp")).toBe(false)
    }
  })

  test.skipIf(judge("age") === null)(
    "is what the README's loop over stock age makes the playable clip of",
    async () => {
      const where = ["--home", household(), "--bucket", bucketAfter(2)]
      await owner("open", "--sealed", "--out", out(), ...where)
      const opened = join(folder, "opened")
      await owner("open", "--out", opened, ...where)
      const { output: key } = await owner("keys", "--identity", "--home", household())
      for (const clip of await readdir(out())) {
        // As README.md has it.
        const loop = `printf %s "$KEY" > key; for s in sealed/${clip}/*.age; do age -d -i key "$s"; done > clip.mp4`
        execFileSync("sh", ["-c", loop], { cwd: folder, env: { ...process.env, KEY: key } })
        const film = await readFile(join(folder, "clip.mp4"))
        expect(film.equals(await readFile(join(opened, `${clip}.mp4`)))).toBe(true)
        expect(film.toString("latin1", 4, 8)).toBe("ftyp")
      }
    },
  )
})
