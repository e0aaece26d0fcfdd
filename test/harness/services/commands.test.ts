import { mkdtemp, readFile, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import type { PublicKey } from "../../../firmware/control/keys.ts"
import { sha256Hex } from "../../../firmware/control/keys.ts"
import { openBeats } from "../../../harness/cloud/beats.ts"
import type { Cloud } from "../../../harness/cloud/broker.ts"
import { readBucket } from "../../../harness/cloud/bucket.ts"
import { Accounts } from "../../../harness/cloud/index/accounts.ts"
import { IndexDatabase } from "../../../harness/cloud/index/database.ts"
import { endsOf, holdingsOf } from "../../../harness/cloud/index/holdings.ts"
import { Indexer } from "../../../harness/cloud/index/indexer.ts"
import { describePath, type Holding, JoinGraph } from "../../../harness/cloud/index/join-graph.ts"
import { openCloudKeys } from "../../../harness/cloud/keys.ts"
import { openHomeCloud } from "../../../harness/commands/cloud.ts"
import { readFmp4 } from "../../../harness/owner/fmp4.ts"
import { OwnerFolder } from "../../../harness/owner/folder.ts"
import { LogMemory } from "../../../harness/owner/log-memory.ts"
import { serviceHoldings } from "../../../harness/services/holdings.ts"
import { openServices } from "../../../harness/services/services.ts"
import { codeOf, stepAt } from "../../../harness/services/staff/totp.ts"
import { type Home, openHome } from "../home.ts"
import { obscura, pressCtrlC } from "./obscura.ts"
import { secretIn } from "./people.ts"

/**
 * One household with a camera and an account, its cloud with log and index, and a staff of two: everything by commands,
 * in the order of a customer's day. Each test goes on where the one before ended.
 */
const EMAIL = "ada@example.org"
let folder: string
let cloud: Cloud
let home: Home
let camera: PublicKey
let stop: () => Promise<void>
let index: IndexDatabase
let clip: string
let consent: string
let link: string
let request: string
let answering: Promise<unknown> = Promise.resolve()
const lines: string[] = []
const secrets = new Map<string, Uint8Array>()
const at = () => ["--home", join(folder, "home")]
const contact = () => [...at(), "--broker", `mqtt://127.0.0.1:${cloud.port}`]
const state = (name: string) => ["--state", join(folder, name)]
const totp = (name: string) => codeOf(secrets.get(name) ?? Buffer.alloc(20), stepAt(Date.now()))

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-day-"))
  const log = { write: (line: unknown) => void lines.push(JSON.stringify(line)) }
  const place = { engine: "sqlite", name: "index", path: join(folder, "index.sqlite") } as const
  cloud = await openHomeCloud(join(folder, "home", "cloud"), { port: 0 }, log, {
    follower: await Indexer.open(place, log),
  })
  index = await IndexDatabase.open(place)
  await new Accounts(index, { write: () => undefined }).create(EMAIL, "plus")
  const own = new OwnerFolder(join(folder, "home", "owner"))
  home = await openHome({ cloud, keys: await own.create("x25519", null) })
  camera = await home.pair()
  await own.addCamera(camera)
  await new LogMemory(join(folder, "home", "owner")).pin(camera.id, cloud.identity)
  stop = home.run()
  await home.line(({ event }) => event === "connected")
  for (const [name, role] of [
    ["ann", "agent"],
    ["lea", "labeller"],
  ] as const) {
    const { output: key } = await obscura("support", "staff", "key", ...state(name))
    await obscura("support", "staff", "add", name, "--role", role, "--key", key, ...at())
    secrets.set(name, secretIn((await obscura("support", "staff", "factor", name, ...at())).output))
  }
  home.visitor.moves(true)
  await home.line(({ event }) => event === "object sealed")
  home.visitor.moves(false)
  await home.line((line) => line.event === "received")
}, 60_000)
afterAll(async () => {
  pressCtrlC()
  await answering
  await stop()
  await home.close()
  await index.close()
  await cloud.close()
  await rm(folder, { recursive: true, force: true })
})

describe("support, by commands", () => {
  test("asks, is listed and let in, and looks through one camera", async () => {
    const { output: code } = await obscura("owner", "answer", "--new-code", ...at())
    const reason = ["--reason", "the picture flickers at night"]
    const asking = ["support", "ask", "--name", "ann", "--code", code, ...state("ann"), ...at()]
    expect(await obscura(...asking, ...reason, "--totp", "000000")).toEqual({
      code: 1,
      output: "obscura: a wrong code",
    })
    const asked = await obscura(...asking, ...reason, "--totp", totp("ann"), "--minutes", "2")
    request = /^request ([0-9a-f]{32})$/m.exec(asked.output)?.[1] ?? asked.output
    const listed = await obscura("owner", "answer", ...at())
    expect(listed.output).toBe(
      `${request}  ann asks to look at a camera for 2 min: the picture flickers at night`,
    )
    const early = await obscura("support", "view", request, ...state("ann"), ...contact())
    expect(early).toEqual({ code: 1, output: "obscura: the owner has not answered yet" })
    answering = obscura("owner", "answer", request, "--camera", camera.id.slice(0, 8), ...contact())
    const answer = join(folder, "home", "cloud", "services", "support", "boxes")
    const { boxes } = openServices(join(folder, "home", "cloud")).support
    const [box = ""] = await import("node:fs/promises").then(({ readdir }) => readdir(answer))
    while ((await boxes.answer(box, request)) === null) await home.board.clock.sleep(50)
    const film = join(folder, "support.mp4")
    const seen = await obscura(
      "support",
      "view",
      request.slice(0, 6),
      ...state("ann"),
      ...contact(),
      "--out",
      film,
      "--seconds",
      "2",
    )
    expect(seen.output).toMatch(/live: camera [0-9a-f]{40}; its light is on\nlive: \d+ pictures, 0 lost/)
    expect((await stat(film)).size).toBeGreaterThan(50_000)
  }, 40_000)

  test("and sees nothing more once it is taken back", async () => {
    pressCtrlC()
    await answering
    const after = await obscura("support", "view", request, ...state("ann"), ...contact())
    expect(after).toEqual({ code: 1, output: "obscura: live: the camera refuses: revoked" })
    expect((await obscura("support", "view", "zz", ...state("ann"), ...contact())).output).toContain(
      "no requests of yours",
    )
  }, 40_000)
})

describe("labelling, by commands", () => {
  test("never indoors; outdoors by a consent to one clip, which a labeller then works on", async () => {
    clip = /^ {2}([0-9a-f]{32})/m.exec((await obscura("owner", "list", ...at())).output)?.[1] ?? ""
    const offer = ["owner", "consent", clip.slice(0, 8), "--purpose", "train recognition", ...at()]
    expect((await obscura(...offer, "--whole")).output).toContain("never offered")
    expect((await obscura("owner", "place", camera.id, "outdoor", ...at())).output).toContain(
      "only with your consent",
    )
    expect(await obscura(...offer)).toMatchObject({
      code: 2,
      output: expect.stringContaining("what of it may leave"),
    })
    const given = await obscura(...offer, "--to", "1.5")
    consent = /^consent ([0-9a-f]{32})$/m.exec(given.output)?.[1] ?? given.output
    const lea = [...state("lea"), ...at()]
    expect((await obscura("labeller", "queue", ...lea)).output).toContain("log in first")
    expect((await obscura("labeller", "login", "--name", "lea", "--totp", totp("lea"), ...lea)).code).toBe(0)
    expect((await obscura("labeller", "queue", ...lea)).output).toMatch(new RegExp(`^${consent} {2}to train`))
    const film = join(folder, "labelled.mp4")
    expect((await obscura("labeller", "open", consent.slice(0, 6), "--out", film, ...lea)).code).toBe(0)
    const { samples } = readFmp4(await readFile(film))
    expect(samples.flatMap(({ nals }) => nals).every((nal) => [1, 5].includes((nal[0] ?? 0) & 31))).toBe(true)
    const crop = ["--crop", "100,100,64,64", "--second", "0"]
    expect((await obscura("labeller", "label", consent, "person", ...crop, ...lea)).code).toBe(0)
    const exported = await obscura("labeller", "export", "porches", "--purpose", "train recognition", ...lea)
    expect(exported.output).toBe("data set porches: 1 rows of 1 clips")
    expect((await obscura("labeller", "model", "net-1", "--dataset", "porches", ...lea)).code).toBe(0)
  }, 40_000)

  test("until it is withdrawn: then it is gone, and the models that have to go are named", async () => {
    const { output } = await obscura("owner", "withdraw", consent.slice(0, 6), ...at())
    expect(output).toBe(
      "removed: the clip, 1 labels, 1 crops, 1 rows of porches\nmade with it, and must go: model net-1",
    )
    const lea = [...state("lea"), ...at()]
    expect((await obscura("labeller", "queue", ...lea)).output).toBe("the queue is empty")
    expect(
      await obscura("labeller", "open", consent, "--out", join(folder, "again.mp4"), ...lea),
    ).toMatchObject({ code: 1 })
    expect((await obscura("labeller", "models", ...lea)).output).toContain("net-1  must go")
    expect((await obscura("owner", "consent", ...at())).output).toContain("withdrawn")
  }, 40_000)
})

test("a clip is posted, listed and taken down by commands", async () => {
  const posted = await obscura("owner", "post", clip, "--from", "0", "--to", "1", ...at())
  link = /^http\S+#AGE-SECRET-KEY-1\S+$/m.exec(posted.output)?.[0] ?? posted.output
  const object = /\/p\/([0-9a-f]{32})#/.exec(link)?.[1] ?? ""
  expect((await obscura("owner", "post", ...at())).output).toMatch(new RegExp(`^${object} {2}until`))
  expect((await obscura("owner", "unpost", object.slice(0, 5), ...at())).output).toContain("taken down")
  expect((await obscura("owner", "unpost", object, ...at())).output).toContain("not there any more")
}, 40_000)

test("owner log tells of all of it, each under the key that it was signed with", async () => {
  // The cloud takes what other programs leave for its log within a second.
  const looked = await vi.waitFor(
    async () => {
      const log = await obscura("owner", "log", ...at())
      expect(log.output).toMatch(/ deletion .*\(post /)
      return log
    },
    { timeout: 8_000, interval: 300 },
  )
  for (const line of [
    / grant .* the picture flickers/,
    / live session .* by a grant/,
    / request refused .* support: a wrong code/,
    / support .* asked .*\(support code /,
    / support .* answered /,
    / support .* ended /,
    / consent .* given .*\(consent /,
    / labelling .* opened /,
    / labelling .* exported /,
    / consent .* withdrawn /,
    / labelling .* removed /,
    / grant .* for neighbours .*\(post /,
  ])
    expect(looked.output).toMatch(line)
  expect(looked.output).not.toMatch(/^!/m)
  expect(looked.code).toBe(0)
}, 40_000)

describe("all that the cloud holds after that day", () => {
  let holdings: readonly Holding[]
  let own: readonly string[]
  const path = (from: readonly string[], to: readonly string[], more: readonly Holding[] = []) => {
    const found = new JoinGraph([...holdings, ...more], own).path(from, to)
    return found && describePath(found)
  }

  beforeAll(async () => {
    const { output: code } = await obscura("owner", "answer", "--new-code", ...at())
    await home.board.clock.sleep(1_100)
    await cloud.close()
    const directory = join(folder, "home", "cloud", "bucket")
    const [beats, bucket] = [await openBeats(directory), await readBucket(directory)]
    const logs = { "cloud.log": lines }
    holdings = [
      ...(await holdingsOf({ database: index, bucket, beats, logs, sessions: [] })),
      ...(await serviceHoldings(join(folder, "home", "cloud"))),
    ]
    const keys = await openCloudKeys(join(folder, "home", "cloud", "keys.json"))
    own = [keys.receipt.id, keys.receipt.hex, keys.log.hex, code]
  }, 30_000)

  test("has support, labelling and neighbours in it", () => {
    const sources = holdings.map(({ source }) => source)
    for (const wanted of [
      "services/support/reasons.json",
      "services/labelling/ledger.json",
      "services/staff/staff.json",
      "access log",
    ])
      expect(sources).toContain(wanted)
  })

  test("leads from the e-mail to no camera and no clip, and from nothing that left to where it came from", () => {
    const { emails, recordings } = endsOf(holdings)
    expect([emails, recordings.length > 3]).toEqual([[EMAIL], true])
    expect(path(emails, recordings)).toBe(null)
    const object = /\/p\/([0-9a-f]{32})#/.exec(link)?.[1] ?? ""
    expect(path([consent, object], recordings)).toBe(null)
  })

  test("would, if a code were kept with an account, or a consent signed with a camera's key", () => {
    const { emails, recordings } = endsOf(holdings)
    const box = holdings
      .flatMap(({ source, record }) => (source === "file names" ? (record as string[]) : []))
      .find((part) => /^[0-9a-f]{40}$/.test(part))
    expect(
      path(emails, recordings, [{ source: "table accounts", record: { email: EMAIL, support: box } }]),
    ).toContain("access log")
    const owner = home.keys.signingKeyFor(camera.id)
    expect(
      path([consent], recordings, [{ source: "consents", record: { object: consent, key: owner.id } }]),
    ).not.toBe(null)
    expect(sha256Hex(Buffer.from(EMAIL))).toHaveLength(64)
  })
})
