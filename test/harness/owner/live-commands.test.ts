import { execFileSync } from "node:child_process"
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { PublicKey } from "../../../firmware/control/keys.ts"
import { playerSink } from "../../../harness/commands/live-sink.ts"
import { OwnerFolder } from "../../../harness/owner/folder.ts"
import { judge } from "../../support.ts"
import { type Home, openHome } from "../home.ts"
import { owner } from "./run-command.ts"

/** One camera that runs, its owner, and a neighbour with a household of their own. */
let folder: string
let home: Home
let camera: PublicKey
let stop: () => Promise<void>
const household = () => join(folder, "household")
const neighbour = () => join(folder, "neighbour")
const stranger = () => join(folder, "stranger")
const broker = () => ["--broker", `mqtt://127.0.0.1:${home.cloud.port}`]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-live-"))
  const own = new OwnerFolder(join(household(), "owner"))
  home = await openHome({ keys: await own.create("x25519", null) })
  for (const each of [neighbour(), stranger()])
    await new OwnerFolder(join(each, "owner")).create("x25519", null)
  camera = await home.pair()
  await own.addCamera(camera)
  for (const each of [household(), neighbour(), stranger()]) {
    await mkdir(join(each, "cloud"), { recursive: true })
    await writeFile(join(each, "cloud", "identity.json"), `${JSON.stringify(home.cloud.identity)}\n`)
  }
  stop = home.run()
  await home.line(({ event }) => event === "connected")
}, 30_000)
afterAll(async () => {
  await stop()
  await home.close()
  await rm(folder, { recursive: true, force: true })
})

describe("obscura owner live", () => {
  test("keeps what the camera sees as a film for its owner alone", async () => {
    const film = join(folder, "live.mp4")
    const { output } = await owner(
      "live",
      camera.id.slice(0, 6),
      "--home",
      household(),
      ...broker(),
      "--out",
      film,
      "--seconds",
      "4",
    )
    expect(output).toMatch(
      /^live: camera [0-9a-f]{40}; its light is on\nlive: \d+ pictures, 0 lost on the way$/,
    )
    expect((await stat(film)).mode & 0o077).toBe(0)
    const shown = Number(/(\d+) pictures/.exec(output)?.[1])
    expect(shown).toBeGreaterThan(30)
    if (judge("ffprobe") === null) return
    const entries = "stream=nb_read_frames,width,codec_name"
    const command = ["-v", "error", "-count_frames", "-show_entries", entries, "-of", "json", film]
    const [stream] = JSON.parse(execFileSync("ffprobe", command, { encoding: "utf8" })).streams
    expect(stream).toMatchObject({ codec_name: "h264", width: 1280, nb_read_frames: String(shown) })
  })

  test("gives it to a player as it comes, and ends when the player is closed", async () => {
    const bin = join(folder, "bin")
    await mkdir(bin)
    const got = join(folder, "got")
    await writeFile(join(bin, "mpv"), `#!/bin/sh\nhead -c 200000 > ${got}\n`)
    await chmod(join(bin, "mpv"), 0o755)
    const before = process.env.PATH
    // Debian's own ffplay would be found first.
    process.env.PATH = [bin, "/bin"].filter((each) => each !== "/usr/bin").join(delimiter)
    try {
      await writeFile(join(bin, "ffplay"), `#!/bin/sh\n/usr/bin/head -c 200000 > ${got}\n`)
      await chmod(join(bin, "ffplay"), 0o755)
      const { output } = await owner("live", camera.id, "--home", household(), ...broker(), "--play")
      expect(output).toContain("its light is on")
    } finally {
      process.env.PATH = before
    }
    const bytes = await readFile(got)
    expect(bytes.length).toBe(200_000)
    expect(bytes.toString("latin1", 4, 8)).toBe("ftyp")
  })

  test("without a player says what to install; without a camera, which there are", async () => {
    await expect(playerSink("/nowhere")).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("apt install ffmpeg"),
    })
    const at = ["--home", household(), ...broker()]
    await expect(owner("live", ...at)).rejects.toMatchObject({ kind: "usage" })
    await expect(owner("live", "zz", ...at)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("no camera begins"),
    })
    await expect(owner("live", camera.id, ...at, "--out", "/nowhere/film.mp4")).rejects.toMatchObject({
      kind: "usage",
    })
    await expect(owner("live", "--lent", join(folder, "nothing"), ...at)).rejects.toMatchObject({
      kind: "usage",
    })
  })
})

describe("obscura owner lend", () => {
  test("lets a neighbour look by a file, and nobody else", async () => {
    const key = (await owner("lend", camera.id, "--home", neighbour(), "--key")).output
    const file = join(folder, "lent.json")
    const terms = ["--to", key, "--reason", "the parcel", "--seconds", "12", "--out", file]
    const lending = owner("lend", camera.id, "--home", household(), ...broker(), ...terms)
    while (!(await stat(file).catch(() => null))) await home.board.clock.sleep(50)
    const look = ["live", "--lent", file, ...broker(), "--seconds", "3"]
    await expect(owner(...look, "--home", stranger())).rejects.toMatchObject({
      kind: "unavailable",
    })
    const { output } = await owner(...look, "--home", neighbour(), "--out", join(folder, "neighbour.mp4"))
    expect(output).toMatch(/live: \d+ pictures, 0 lost/)
    await lending
  }, 40_000)

  test("refuses a blank reason and a key that is none", async () => {
    const at = ["lend", camera.id, "--home", household(), ...broker()]
    await expect(owner(...at, "--to", "ab".repeat(32), "--reason", " ")).rejects.toMatchObject({
      kind: "usage",
    })
    await expect(owner(...at, "--to", "me", "--reason", "x")).rejects.toMatchObject({ kind: "usage" })
  })
})

describe("obscura owner privacy", () => {
  test("on from anywhere; off with a press of the button, and not without", async () => {
    const at = ["--home", household(), ...broker()]
    expect((await owner("privacy", camera.id, "on", ...at)).output).toBe(`camera ${camera.id}: privacy mode`)
    await expect(owner("live", camera.id, ...at)).rejects.toMatchObject({
      kind: "refused",
      message: "live: the camera refuses: privacy mode",
    })
    await expect(owner("privacy", camera.id, "off", ...at, "--wait", "2")).rejects.toMatchObject({
      kind: "unavailable",
    })
    const leaving = owner("privacy", camera.id, "off", ...at)
    await home.board.clock.sleep(500)
    await home.visitor.pressesBell()
    expect((await leaving).output).toMatch(
      /^press the button of camera .*\ncamera [0-9a-f]{40}: it looks again$/,
    )
    expect((await owner("privacy", camera.id, "off", ...at)).output).toBe(
      `camera ${camera.id}: it is not in privacy mode`,
    )
  }, 40_000)
})
