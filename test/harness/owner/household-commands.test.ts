import { execFileSync, spawnSync } from "node:child_process"
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import type { PublicKey } from "../../../firmware/control/keys.ts"
import { type Cloud, startCloud } from "../../../harness/cloud/broker.ts"
import { openCloudKeys } from "../../../harness/cloud/keys.ts"
import { type HouseholdKey, newHouseholdIdentity } from "../../../harness/owner/age-identity.ts"
import { OwnerFolder } from "../../../harness/owner/folder.ts"
import { LogMemory } from "../../../harness/owner/log-memory.ts"
import { judge } from "../../support.ts"
import { type Home, openHome } from "../home.ts"
import { quickScrypt } from "./quick-scrypt.ts"
import { owner } from "./run-command.ts"

/**
 * The story of one household, told by its owner's commands: Anna becomes a member, a clip is recorded, Anna goes, another
 * clip is recorded. Everything is real: camera, broker, bucket, and stock age in the hands of members and thieves.
 */
let folder: string
let home: Home
let cloud: Cloud
let camera: PublicKey
let stop: () => Promise<void>
let anna: HouseholdKey
let bob: HouseholdKey
const household = () => join(folder, "household")
const where = () => ["--home", household()]
const broker = () => ["--broker", `mqtt://127.0.0.1:${cloud.port}`, "--wait", "20"]
const clips: string[] = []
/** What each command of the story printed. */
const said: Record<string, { code: number; output: string }> = {}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-household-"))
  anna = await newHouseholdIdentity("x25519")
  bob = await newHouseholdIdentity("x25519")
  const directory = join(household(), "cloud")
  await mkdir(directory, { recursive: true })
  const ownerFolder = new OwnerFolder(join(household(), "owner"))
  const keys = await ownerFolder.create("x25519", null)
  cloud = await startCloud({
    ...{ host: "127.0.0.1", port: 0, name: "cloud.example", directory: join(directory, "bucket") },
    keys: await openCloudKeys(join(folder, "cloud-keys.json")),
    log: { write: () => undefined },
  })
  await writeFile(join(directory, "identity.json"), `${JSON.stringify(cloud.identity)}\n`)
  home = await openHome({ cloud, keys })
  camera = await home.pair()
  await ownerFolder.addPaired(camera, keys, Date.now())
  await new LogMemory(join(household(), "owner")).pin(camera.id, cloud.identity)
  stop = home.run()
  await home.line(({ event }) => event === "connected")

  said.add = await owner("members", "add", "Anna", anna.recipientText, ...where(), ...broker())
  await recordClip()
  said.keys = await owner("members", "keys", "Anna", ...where(), "--out", join(folder, "anna.age"))
  // But for the writer's lock, which is a socket.
  const filter = (path: string) => !path.endsWith("lock")
  await cp(join(household(), "cloud", "bucket"), join(folder, "bucket-with-anna"), {
    recursive: true,
    filter,
  })
  said.remove = await owner("members", "remove", "Anna", ...where(), ...broker())
  await recordClip()
  await home.board.clock.sleep(2 * home.config.link.heartbeatEvery)
  await stop()
  await cloud.close()
}, 90_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

async function recordClip(): Promise<void> {
  await home.board.clock.sleep(1_100)
  home.visitor.moves(true)
  const isNew = (clip: string) => !clips.includes(clip)
  await home.line((line) => line.event === "object sealed" && isNew(line.clip))
  home.visitor.moves(false)
  const recorded = await home.line((line) => line.event === "clip recorded" && isNew(line.clip))
  if (recorded.event !== "clip recorded") throw new Error("no clip")
  clips.push(recorded.clip)
  await home.line((line) => line.event === "received" && line.clips.includes(recorded.clip))
  await home.board.clock.sleep(1_000)
}

/** The first segment of clip `which`, opened by stock age with the identities in `keyFile`. */
function ageOpens(clipFolder: string, keyFile: string): Buffer | null {
  const run = spawnSync("age", ["-d", "-i", keyFile, join(clipFolder, "000000.age")], { maxBuffer: 2 ** 24 })
  return run.status === 0 ? run.stdout : null
}

async function sealedClips(): Promise<string> {
  const out = join(folder, "sealed")
  await owner("open", "--sealed", "--out", out, ...where())
  return out
}

describe("obscura owner members", () => {
  test("add and remove end with the camera's own confirmation, and the book in the cloud", () => {
    expect(said.add).toMatchObject({ code: 0, output: expect.stringContaining("Anna is a member") })
    expect(said.remove).toEqual({
      code: 0,
      output: expect.stringMatching(/camera [0-9a-f]{40}: confirmed, by a signed heartbeat: .* epoch 2$/m),
    })
    expect(said.remove?.output).toContain("live views that you lent have ended")
  })

  test("list says who is one, who was, and with which keys", async () => {
    const { output } = await owner("members", "list", ...where())
    expect(output).toMatch(/^Anna: since 20\d\d-\d\d-\d\d, removed 20\d\d-\d\d-\d\d, keys 0 to 0, age1/)
    await expect(owner("members", "keys", "Anna", ...where())).rejects.toThrow("Anna is no member")
  })

  test.skipIf(judge("age") === null)(
    "a lost phone opens with stock age what it was given, and not the first clip after the removal",
    async () => {
      const out = await sealedClips()
      await writeFile(join(folder, "anna.key"), anna.secretText)
      const given = execFileSync("age", ["-d", "-i", join(folder, "anna.key"), join(folder, "anna.age")])
      await writeFile(join(folder, "anna.household"), given)
      const [before = "", after = ""] = clips.map((clip) => join(out, clip))
      expect(ageOpens(before, join(folder, "anna.household"))?.toString("latin1", 4, 8)).toBe("ftyp")
      expect(ageOpens(after, join(folder, "anna.household"))).toBeNull()
      expect(ageOpens(after, join(folder, "anna.key"))).toBeNull()
    },
  )

  test("the owner lists, verifies and opens what was sealed before and after", async () => {
    const verified = await owner("verify", ...where())
    expect(verified).toEqual({ code: 0, output: expect.stringMatching(/ 0 amiss$/) })
    const opened = join(folder, "opened")
    await owner("open", "--out", opened, ...where())
    expect((await readdir(opened)).sort()).toEqual(clips.map((clip) => `${clip}.mp4`).sort())
  })

  test.skipIf(judge("age") === null)(
    "the owner's keys, as obscura owner keys shows them, open with stock age what was sealed before and after",
    async () => {
      const { output } = await owner("keys", "--identity", ...where())
      await writeFile(join(folder, "owner.keys"), output)
      const out = await sealedClips()
      for (const clip of clips)
        expect(ageOpens(join(out, clip), join(folder, "owner.keys"))?.toString("latin1", 4, 8)).toBe("ftyp")
    },
  )

  test("wrong calls are refused in one line, and change nothing", async () => {
    const before = await readFile(join(household(), "owner", "household.age"))
    const call = (...words: string[]) => owner("members", ...words, ...where(), ...broker())
    await expect(call("remove", "Bob")).rejects.toThrow("Bob is no member")
    await expect(call("add", "Bob", "age1bob")).rejects.toThrow("not an age recipient")
    await expect(call("add", "Bob", bob.secretText.toLowerCase())).rejects.toThrow("secret age key")
    expect((await readFile(join(household(), "owner", "household.age"))).equals(before)).toBe(true)
  })
})

describe("obscura owner share", () => {
  test.skipIf(judge("age") === null)(
    "lets stock age join the clip for its receiver, and no other clip",
    async () => {
      const out = join(folder, "shared")
      const clip = clips[1] ?? ""
      const words = ["--to", bob.recipientText, "--reason", "Bob fell off his bicycle", "--out", out]
      expect(await owner("share", clip.slice(0, 10), ...words, ...where())).toMatchObject({ code: 0 })
      await writeFile(join(folder, "key"), bob.secretText)
      const loop = `for s in shared/${clip}/*.age; do age -d -i key "$s"; done > clip.mp4`
      execFileSync("sh", ["-c", loop], { cwd: folder })
      const opened = join(folder, "to-compare")
      await owner("open", clip, "--out", opened, ...where())
      const film = await readFile(join(folder, "clip.mp4"))
      expect(film.equals(await readFile(join(opened, `${clip}.mp4`)))).toBe(true)
      expect(ageOpens(join(await sealedClips(), clips[0] ?? ""), join(folder, "key"))).toBeNull()
    },
  )

  test("writes headers alone where the payload is at hand", async () => {
    const out = join(folder, "headers")
    const words = ["--to", bob.recipientText, "--reason", "as asked", "--headers", "--out", out]
    await owner("share", clips[0] ?? "", ...words, ...where())
    const names = await readdir(join(out, clips[0] ?? ""))
    expect(names).toContain("000000.header")
    expect((await readFile(join(out, clips[0] ?? "", "000000.header"))).length).toBe(168)
  })

  test("keeps to whom and why in the book before anything is handed out", async () => {
    const folderOf = new OwnerFolder(join(household(), "owner"))
    const { book } = await folderOf.household(home.keys)
    const shared = book.shares.length
    await writeFile(join(folder, "in-the-way"), "")
    const words = ["--to", bob.recipientText, "--reason", "once more", "--out", join(folder, "in-the-way")]
    await expect(owner("share", clips[0] ?? "", ...words, ...where())).rejects.toThrow("in-the-way")
    const after = (await folderOf.household(home.keys)).book.shares
    expect(after.slice(shared)).toMatchObject([
      { clip: clips[0], recipient: bob.recipientText, reason: "once more" },
    ])
  })

  test.each([[""], ["   "], ["\t\u200b "], ["x".repeat(121)]])("refuses %j for a reason", async (reason) => {
    const words = ["--to", bob.recipientText, "--reason", reason]
    await expect(owner("share", clips[0] ?? "", ...words, ...where())).rejects.toThrow("--reason")
  })
})

describe("obscura owner restore", () => {
  beforeAll(quickScrypt)
  afterAll(() => vi.restoreAllMocks())

  async function restored(name: string, bucket: string) {
    const [kit, passphrase] = [join(folder, `${name}.kit`), join(folder, "passphrase")]
    const { output } = await owner("recovery-kit", ...where())
    await writeFile(kit, output)
    await writeFile(passphrase, "another passphrase\n")
    const at = ["--home", join(folder, name), "--bucket", bucket, "--passphrase-file", passphrase]
    return { at, ...(await owner("restore", "--kit-file", kit, ...at)) }
  }

  test("finds camera, members, keys and every clip again, from kit and cloud alone", async () => {
    const { at, code, output } = await restored("again", join(household(), "cloud", "bucket"))
    expect({ code, output }).toEqual({
      code: 0,
      output: expect.stringMatching(
        /book of version \d+, 1 cameras, 2 keys, 1 members\ncamera [0-9a-f]{40}$/,
      ),
    })
    expect(await owner("verify", ...at)).toEqual({ code: 0, output: expect.stringMatching(/ 0 amiss$/) })
    const out = join(folder, "opened-again")
    await owner("open", "--out", out, ...at)
    expect((await readdir(out)).sort()).toEqual(clips.map((clip) => `${clip}.mp4`).sort())
    const pinned = await new LogMemory(join(folder, "again", "owner")).pinned(camera.id)
    expect(pinned?.key.hex).toBe(cloud.identity.logKey)
    await expect(restored("again", join(household(), "cloud", "bucket"))).rejects.toThrow(
      "lives here already",
    )
  })

  test("says so where the cloud keeps back the newest book: a camera seals for a key that is not in it", async () => {
    const bucket = join(folder, "bucket-with-anna")
    await cp(join(household(), "cloud", "bucket", "heartbeats"), join(bucket, "heartbeats"))
    const { code, output } = await restored("rolled-back", bucket)
    expect([code, output]).toEqual([
      1,
      expect.stringMatching(/seals for a key that is not in what the cloud/),
    ])
  })

  test("without any book finds the camera by its heartbeat, for nobody else can make one that names this owner", async () => {
    const bucket = join(folder, "bare")
    await mkdir(bucket)
    await cp(join(household(), "cloud", "bucket", "heartbeats"), join(bucket, "heartbeats"))
    const { output } = await restored("bare-home", bucket)
    expect(output).toMatch(/found: no book, only 0 cameras/)
    expect(output).toContain(`camera ${camera.id} seals for a key`)
  })

  test("refuses a mistyped kit, and does not repeat it", async () => {
    await writeFile(join(folder, "wrong.kit"), "OBSCURA-ROOT-1QQQQ")
    const words = ["--home", join(folder, "wrong"), "--kit-file", join(folder, "wrong.kit")]
    await expect(owner("restore", ...words)).rejects.toThrow(/^this is no recovery kit(?!.*QQQQ)/)
  })
})
