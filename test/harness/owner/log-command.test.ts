import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { main } from "../../../harness/cli.ts"
import { openCloudKeys } from "../../../harness/cloud/keys.ts"
import { AccessLog, privateFolder } from "../../../harness/cloud/log/access-log.ts"
import { originOf } from "../../../harness/cloud/log/checkpoint.ts"
import { verifyCosignature } from "../../../harness/cloud/log/cosignature.ts"
import { parseNote, parseVerifierKey } from "../../../harness/cloud/log/note.ts"
import { openHomeCloud } from "../../../harness/commands/cloud.ts"
import { OwnerFolder } from "../../../harness/owner/folder.ts"
import { LogMemory } from "../../../harness/owner/log-memory.ts"
import { openHome } from "../home.ts"
import { owner } from "./run-command.ts"

/**
 * A household whose camera has been paired with a cloud that keeps an access log, and has sent heartbeats. The cloud is
 * at rest now; `more` makes it log another access.
 */
let folder: string
let device: string
const household = () => join(folder, "household")
const cloudFolder = () => join(household(), "cloud")

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-log-command-"))
  const ownerFolder = new OwnerFolder(join(household(), "owner"))
  const keys = await ownerFolder.create("x25519", null)
  const cloud = await openHomeCloud(cloudFolder(), { port: 0 }, { write: () => undefined })
  const home = await openHome({ cloud, keys })
  const camera = await home.pair()
  await new LogMemory(join(household(), "owner")).pin(camera.id, cloud.identity)
  await ownerFolder.addCamera(camera)
  device = camera.id
  for (let boots = 0; boots < 2; boots++) {
    const stop = home.run()
    await home.line(({ event }) => event === "connected")
    await home.board.clock.sleep(3 * home.config.link.heartbeatEvery)
    await stop()
  }
  await cloud.close()
}, 60_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

/** An access to this household's camera; `cloud`: of another copy of the cloud. */
async function more(reason: string, cloud = cloudFolder()): Promise<void> {
  const keys = await openCloudKeys(join(cloudFolder(), "keys.json"))
  const log = await AccessLog.open({
    directory: join(cloud, "log"),
    origin: originOf("obscura.local"),
    key: keys.log,
  })
  await log.append({
    kind: "ciphertext read",
    device,
    at: 1_700_000_000_000,
    by: { role: "support", key: null },
    reason,
    objects: ["0".repeat(32)],
  })
  await log.close()
}

/** Another home of the same owner, with what it remembers; its cloud a copy as it is now. */
async function copyOf(name: string): Promise<string> {
  await cp(household(), join(folder, name), { recursive: true, filter: (path) => !path.endsWith("/lock") })
  return join(folder, name)
}

async function run(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let out = ""
  let err = ""
  const writing = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += text
    return true
  })
  const complaining = vi.spyOn(console, "error").mockImplementation((text) => {
    err += `${text}\n`
  })
  process.exitCode = 0
  try {
    await main(["node", "obscura", ...args])
    return { code: Number(process.exitCode), out, err }
  } finally {
    process.exitCode = 0
    // Each call of the program listens anew.
    process.stdout.removeAllListeners("error")
    writing.mockRestore()
    complaining.mockRestore()
  }
}

describe("obscura owner log", () => {
  test("shows the pairing as a key change that the camera's heartbeats confirm, once over two boots", async () => {
    const { code, output } = await owner("log", "--home", household())
    expect({ code, output }).toEqual({
      code: 0,
      output: expect.stringContaining(`camera ${device}: 1 record,`),
    })
    expect(output).toMatch(/key change +owner [0-9a-f]{8} +epoch 1 +paired/)
  })

  test("says which kinds are forced to leave a trace and which only by policy", async () => {
    const { output } = await owner("log", "--home", household())
    const [, forced = "", policy = ""] = output.split(/forced to leave a trace:|only by the cloud's policy:/)
    expect(forced).toMatch(/live session[\s\S]*grant[\s\S]*consent[\s\S]*key change/)
    expect(policy).toMatch(/ciphertext read[\s\S]*view repeated[\s\S]*request refused/)
  })

  test("shows who looked, when and why, and that the log continues what was seen", async () => {
    await more("a broken clip")
    const { code, output } = await owner("log", "--home", household())
    expect(code).toBe(0)
    expect(output).toMatch(/2 entries, it continues the 1 that you saw/)
    expect(output).toMatch(
      /2023-11-14T22:13:20.000Z +ciphertext read +support +object 00000000 +a broken clip/,
    )
  })

  test("names a rollback, a fork and a removal, with exit code 1", async () => {
    const early = await copyOf("early")
    await more("the third")
    expect((await owner("log", "--home", household())).code).toBe(0)
    const back = await owner("log", "--home", household(), "--log", join(early, "cloud", "log"))
    expect([back.code, back.output]).toEqual([
      1,
      expect.stringContaining("! rolled back: the log has 2 entries, and had 3"),
    ])
    await more("another third", join(early, "cloud"))
    const forked = await owner("log", "--home", household(), "--log", join(early, "cloud", "log"))
    expect([forked.code, forked.output]).toEqual([
      1,
      expect.stringContaining("! forked: these 3 entries do not continue"),
    ])
    const thinned = await copyOf("thinned")
    await rm(join(privateFolder(join(thinned, "cloud", "log")), device.slice(0, 2)))
    const removed = await owner("log", "--home", thinned)
    expect([removed.code, removed.output]).toEqual([1, expect.stringContaining("removed: records 0 to 2")])
    expect((await owner("log", "--home", household())).code).toBe(0)
  })

  test("finds a cloud that never logged whom its camera seals for", async () => {
    const silent = await copyOf("silent")
    await rm(join(silent, "cloud", "log"), { recursive: true })
    await rm(join(silent, "owner", "log", "seen"), { recursive: true })
    const keys = await openCloudKeys(join(cloudFolder(), "keys.json"))
    const directory = join(silent, "cloud", "log")
    await (await AccessLog.open({ directory, origin: originOf("obscura.local"), key: keys.log })).close()
    const { code, output } = await owner("log", "--home", silent)
    expect([code, output]).toEqual([1, expect.stringMatching(/! .*not logged: key change [0-9a-f]{64}/)])
  })

  test("compares with another owner's export, and shows both notes of a fork", async () => {
    const other = await copyOf("other")
    const theirs = join(folder, "theirs")
    const { out } = await run("owner", "log", "--home", other, "--export")
    await writeFile(theirs, out)
    expect((await owner("log", "--home", household(), "--compare", theirs)).code).toBe(0)
    await more("here")
    const older = await owner("log", "--home", household(), "--compare", theirs)
    expect([older.code, older.output]).toEqual([0, expect.stringMatching(/\nolder: they saw 3 entries/)])
    await more("there", join(other, "cloud"))
    await writeFile(theirs, (await run("owner", "log", "--home", other, "--export", "--since", "2")).out)
    const fork = await owner("log", "--home", household(), "--compare", theirs)
    expect([fork.code, fork.output]).toEqual([1, expect.stringContaining("! fork, a split view: ")])
    expect(fork.output.match(/^— obscura\.local\/access-log /gm)).toHaveLength(2)
  })

  test.each([
    [["--since", "1"], /--since goes with --export/],
    [["--compare", "/nowhere/at/all"], /cannot be read/],
    [["--log", "/nowhere/at/all"], /there is no log/],
  ])("a wrong call is one line that says so: %j", async (args, words) => {
    const home = await copyOf(`wrong-${args[0]}`)
    await rm(join(home, "owner", "log", "seen"), { recursive: true, force: true })
    const { code, err } = await run("owner", "log", "--home", home, ...args)
    expect([code > 0, err]).toEqual([true, expect.stringMatching(words)])
    expect(err.trim().split("\n")).toHaveLength(1)
  })
})

test("a camera whose log key was never pinned has no log that could be believed", async () => {
  const home = await copyOf("unpinned")
  await rm(join(home, "owner", "log", "pins"), { recursive: true })
  const { code, output } = await owner("log", "--home", home)
  expect([code, output]).toEqual([1, expect.stringContaining("no log key was pinned")])
})

describe("obscura witness", () => {
  const witness = (...args: readonly string[]) => run("witness", "--state", join(folder, "witness"), ...args)

  test("co-signs what continues, with a signature that verifies, and nothing else", async () => {
    const early = await copyOf("before-witness")
    const first = await witness("--cloud", cloudFolder())
    expect(first.code).toBe(0)
    const key = parseVerifierKey(/witness (\S+)/.exec(first.err)?.[1] ?? "")
    expect(verifyCosignature(parseNote(Buffer.from(first.out)), "witness.local", key.key).witness).toBe(
      "witness.local",
    )
    await more("later")
    const second = await witness("--cloud", cloudFolder())
    expect(second.code).toBe(0)
    verifyCosignature(parseNote(Buffer.from(second.out)), "witness.local", key.key)
    const back = await witness("--cloud", join(early, "cloud"))
    expect([back.code, back.out, back.err]).toEqual([1, "", expect.stringContaining("rolled back")])
    await more("otherwise", join(early, "cloud"))
    const forked = await witness("--cloud", join(early, "cloud"))
    expect([forked.code, forked.out, forked.err]).toEqual([1, "", expect.stringContaining("forked")])
    // The owner takes the co-signed note as the log's own.
    await writeFile(join(folder, "cosigned"), second.out)
    const same = await owner("log", "--home", household(), "--compare", join(folder, "cosigned"))
    expect([same.code, same.output]).toEqual([0, expect.stringMatching(/\nsame: /)])
  })

  test("takes an export out of a file, where the proof begins with what it signed last", async () => {
    const identity = join(cloudFolder(), "identity.json")
    const signed = await witness("--cloud", cloudFolder())
    const size = signed.out.split("\n")[1] ?? ""
    await more("for the file")
    const message = join(folder, "message")
    for (const [since, code] of [
      ["0", 1],
      [size, 0],
    ] as const) {
      await writeFile(
        message,
        (await run("owner", "log", "--home", household(), "--export", "--since", since)).out,
      )
      expect((await witness("--from", message, "--identity", identity)).code).toBe(code)
    }
    await writeFile(message, "not a checkpoint")
    expect((await witness("--from", message, "--identity", identity)).code).toBe(2)
  })

  test("holds to the key that it saw first", async () => {
    const other = await copyOf("other-key")
    const identity = join(other, "cloud", "identity.json")
    const text = await readFile(identity, "utf8")
    await writeFile(identity, text.replace(/("logKey":")[0-9a-f]{64}/, `$1${"3".repeat(64)}`))
    const { code, out } = await witness("--cloud", join(other, "cloud"))
    expect([code, out]).toEqual([1, ""])
    expect((await witness()).code).toBe(2)
    expect((await witness("--cloud", cloudFolder(), "--name", "two words")).code).toBe(2)
    expect((await witness("--cloud", cloudFolder(), "--name", "other")).code).toBe(2)
  })
})
