import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { OwnerFolder } from "../../../harness/owner/folder.ts"
import { type Home, openHome } from "../home.ts"
import { owner } from "./run-command.ts"

/** A household whose one camera runs, and has recorded a clip. */
let folder: string
let home: Home
let device: string
let clip: string
let stop: () => Promise<void>
const household = () => join(folder, "household")
const wrong = (...words: string[]) =>
  owner(
    "wrong",
    ...["--home", household(), "--bucket", join(home.directory, "bucket")],
    ...["--broker", `mqtt://127.0.0.1:${home.cloud.port}`, "--wait", "5", ...words],
  )
const marks = async () =>
  JSON.parse(await readFile(join(household(), "owner", "marks", `${device}.json`), "utf8"))

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-wrong-"))
  const own = new OwnerFolder(join(household(), "owner"))
  home = await openHome({ keys: await own.create("x25519", null) })
  const camera = await home.pair()
  device = camera.id
  await own.addCamera(camera)
  await mkdir(join(household(), "cloud"))
  const identity = `${JSON.stringify(home.cloud.identity)}\n`
  await writeFile(join(household(), "cloud", "identity.json"), identity)
  stop = home.run()
  await home.line(({ event }) => event === "connected")
  await home.board.clock.sleep(1_100)
  home.visitor.moves(true)
  await home.board.clock.sleep(1_500)
  home.visitor.moves(false)
  await vi.waitUntil(async () => / {2}whole {2}/.test((await list()).output), {
    timeout: 15_000,
    interval: 300,
  })
  clip = /^ {2}([0-9a-f]{32})/m.exec((await list()).output)?.[1] ?? ""
}, 60_000)
afterAll(async () => {
  await stop()
  await home.close()
  await rm(folder, { recursive: true, force: true })
})

const list = () => owner("list", "--home", household(), "--bucket", join(home.directory, "bucket"))

describe("obscura owner wrong", () => {
  test("keeps the mark here, tunes the camera, and takes it back again", async () => {
    const { output } = await wrong(clip.slice(0, 8), "--was", "animal", "--at", "0.1,.9")
    expect(output).toMatch(/1 marks; they come to animal -0\.05\ncamera [0-9a-f]{40}: tuned, number \d+$/)
    expect(await marks()).toMatchObject({ marks: [{ clip, said: null, was: "animal", at: [0.1, 0.9] }] })
    const number = (await marks()).number
    expect((await wrong(clip, "--forget")).output).toContain("0 marks; they come to as it is configured")
    expect((await marks()).number).toBeGreaterThan(number)
  })

  test("with --here the camera is not told", async () => {
    const told = home.lines.filter(({ event }) => event === "command").length
    expect((await wrong(clip, "--was", "person", "--here")).output).not.toContain("tuned")
    expect(home.lines.filter(({ event }) => event === "command")).toHaveLength(told)
  })

  test.each([
    ["no such clip", () => ["ffffffffffff", "--was", "person"], "no clip begins with"],
    ["what the camera said, too", () => [clip, "--was", "nothing"], "nothing is wrong with that"],
    ["neither what it was nor forget", () => [clip], "say what it was"],
    ["both", () => [clip, "--was", "person", "--forget"], "say what it was"],
  ])("%s is refused in one line", async (_name, words, says) => {
    await expect(wrong(...words())).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(says),
    })
  })

  test("a camera that does not answer is one line, and the mark is kept for the next time", async () => {
    await stop()
    stop = async () => undefined
    await expect(wrong(clip, "--was", "vehicle", "--wait", "1")).rejects.toMatchObject({
      kind: "unavailable",
    })
    expect((await marks()).marks).toMatchObject([{ was: "vehicle" }])
  })
})
