import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { OwnerFolder } from "../../harness/owner/folder.ts"
import { freePort } from "./mosquitto-broker.ts"
import { quickScrypt } from "./owner/quick-scrypt.ts"
import { type Answer, obscura, startObscura } from "./run-obscura.ts"

/** Nobody listens there. */
const AWAY = "mqtt://127.0.0.1:1"

let folder: string
beforeAll(async () => {
  quickScrypt()
  folder = await mkdtemp(join(tmpdir(), "obscura-commands-"))
  await writeFile(join(folder, "passphrase"), "correct horse battery\n")
  await writeFile(join(folder, "wrong"), "a wrong passphrase\n")
  await writeFile(join(folder, "text.age"), "this is no age file\n")
  await new OwnerFolder(join(folder, "lonely", "owner")).create("x25519", null)
})
afterAll(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true, force: true })
})

const start = (...words: readonly string[]) => startObscura(folder, ...words)
const run = (...words: readonly string[]) => obscura(folder, ...words)

/** Runs a command again until its output is as `wanted`, ten times at most. */
async function runUntil(wanted: RegExp, ...words: readonly string[]): Promise<Answer> {
  let ended = await run(...words)
  for (let tries = 1; tries < 10 && !wanted.test(ended.output); tries++) ended = await run(...words)
  expect(ended.output).toMatch(wanted)
  return ended
}

describe("the commands of a household", () => {
  test("from cloud, keys and pairing to a clip that its owner lists, verifies and opens", async () => {
    const port = await freePort()
    const broker = `mqtt://127.0.0.1:${port}`
    const passphrase = ["--passphrase-file", join(folder, "passphrase")]
    const cloud = start("cloud", "--port", String(port))
    await cloud.until("cameras connect to")
    expect((await run("owner", "keys", ...passphrase)).output).toContain("recipient age1")
    const pairing = start("owner", "pair", ...passphrase)
    const text = (await pairing.until("\n")).trim()
    const camera = start("camera", "--broker", broker, "--setup", text, "--motion", "2s-3s")
    const recorded = await camera.until('"event":"clip recorded"')
    expect((await pairing.ended).code).toBe(0)

    const [, first = ""] = /"event":"clip recorded","clip":"([0-9a-f]{32})"/.exec(recorded) ?? []
    await camera.until(new RegExp(`"event":"received".*${first}`))
    // Clip follows on clip, and of the newest something is always still on its way; it is the first that must be here.
    const listed = await runUntil(
      / clips\n {2}[0-9a-f]{32} .* whole {2}motion/,
      "owner",
      "list",
      ...passphrase,
    )
    expect(listed.code).toBe(0)
    expect(await runUntil(/ 0 amiss/, "owner", "verify", ...passphrase)).toMatchObject({ code: 0 })
    camera.child.kill("SIGINT")
    expect((await camera.ended).code).toBe(0)
    const clip = /[0-9a-f]{32}/.exec(listed.output.split("\n")[1] ?? "")?.[0] ?? ""
    expect((await run("owner", "open", clip, ...passphrase)).code).toBe(0)
    expect((await readFile(join(folder, "opened", `${clip}.mp4`))).includes("ftyp")).toBe(true)

    const refused = await run("owner", "list", "--passphrase-file", join(folder, "wrong"))
    expect([refused.code, refused.output.trim().split("\n").length]).toEqual([1, 1])
    const foreign = await run("owner", "open", join(folder, "text.age"), "--home", join(folder, "lonely"))
    expect(foreign).toMatchObject({ code: 1, output: expect.stringContaining("not a readable age header") })
    cloud.child.kill("SIGINT")
    expect((await cloud.ended).code).toBe(0)
  }, 120_000)

  test.each([
    [["owner", "list", "--home", "nowhere"], "no owner here yet"],
    [["owner", "keys", "--home", "new"], "give --passphrase-file"],
    [["owner", "keys", "--home", "new", "--passphrase-file", "none"], "cannot be read"],
    [["camera", "--scene", "nope"], "there are day-person"],
    [["camera", "--scene", "none.mp4"], "check that the file is there"],
    [["camera", "--broker", "mqtt://example.org"], "plain mqtt:// is for this machine alone"],
    [["camera", "--broker", "http://127.0.0.1"], "it looks like mqtts://host:8883"],
    [["camera", "--setup", "OBSCURA:1:00"], "--setup goes with --broker"],
    [["camera", "--broker", AWAY, "--setup", "OBSCURA:1:00"], "this is no obscura setup text"],
    [["camera", "--broker", AWAY, "--home", "unpaired"], 'run "obscura owner pair"'],
    [["camera", "--reset", "--watch"], "cannot be used with"],
    [
      ["owner", "pair", "--home", "lonely"],
      'identity.json: no cloud has left its identity there; start "obscura cloud" there once',
    ],
    [["cloud", "--port", "70000"], "from 0 to 65535"],
    [["cloud", "--home", "/proc/1/x"], "cannot be made"],
    [["cluod"], "Did you mean cloud?"],
  ])(
    "%j is refused in one breath: %s",
    async (words, advice) => {
      const { code, output } = await run(...words)
      expect(output).toContain(advice)
      expect(output).toMatch(/^obscura: .+\n$/)
      expect(code).toBe(2)
    },
    60_000,
  )
})
