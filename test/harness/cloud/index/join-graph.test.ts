import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Writable } from "node:stream"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { NO_MANIFEST } from "../../../../firmware/control/protocol.ts"
import { openBeats } from "../../../../harness/cloud/beats.ts"
import { startCloud } from "../../../../harness/cloud/broker.ts"
import { readBucket } from "../../../../harness/cloud/bucket.ts"
import { Accounts } from "../../../../harness/cloud/index/accounts.ts"
import { IndexDatabase } from "../../../../harness/cloud/index/database.ts"
import { endsOf, holdingsOf, pathFromAccountToClip } from "../../../../harness/cloud/index/holdings.ts"
import { Indexer } from "../../../../harness/cloud/index/indexer.ts"
import { describePath, type Holding, JoinGraph } from "../../../../harness/cloud/index/join-graph.ts"
import { parseIndexPlace } from "../../../../harness/cloud/index/place.ts"
import { openCloudKeys } from "../../../../harness/cloud/keys.ts"
import { accountLog, cloudLog, makeLogger } from "../../../../harness/commands/lines.ts"
import { JOINS } from "../../../../harness/unsafe/joined-holdings.ts"
import { openHome } from "../../home.ts"

/** Two homes with a camera and an account each record and write through one cloud; this is all that it then holds. */
let holdings: readonly Holding[]
let own: readonly string[]
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-join-"))
  const logs: Record<string, string[]> = { "cloud.log": [], "accounts.log": [] }
  const loggerInto = (name: string) =>
    makeLogger(
      false,
      new Writable({
        write(chunk, _encoding, done) {
          logs[name]?.push(...String(chunk).trimEnd().split("\n"))
          done()
        },
      }),
    )
  const log = cloudLog(loggerInto("cloud.log"))
  const place = parseIndexPlace(join(folder, "index.sqlite"))
  const directory = join(folder, "bucket")
  const indexer = await Indexer.open(place, log)
  const keys = await openCloudKeys(join(folder, "cloud-keys.json"))
  const options = { host: "127.0.0.1", port: 0, name: "cloud.example", directory, keys, log }
  const cloud = await startCloud({ ...options, follower: indexer })
  const database = await IndexDatabase.open(place)
  const accounts = new Accounts(database, accountLog(loggerInto("accounts.log")))
  for (const email of ["ada@example.org", "bob.b@example.net"]) {
    await accounts.create(email, "basic")
    await accounts.leave(email, "Welcome! Your first camera is on its way, order 20261126-17.")
    const home = await openHome({ cloud })
    await home.pair()
    const stop = home.run()
    await home.line(({ event }) => event === "connected")
    await home.board.clock.sleep(1_100)
    home.visitor.moves(true)
    await home.line(({ event }) => event === "object sealed")
    home.visitor.moves(false)
    await home.line(({ event }) => event === "received")
    await stop()
    await accounts.leave(email, "May we look at a clip? Open this in your app.")
    await home.close()
  }
  await indexer.caughtUp()
  await cloud.close()
  own = [keys.receipt.id, keys.receipt.hex, keys.log.hex, NO_MANIFEST]
  const beats = await openBeats(directory)
  const bucket = await readBucket(directory)
  holdings = await holdingsOf({ database, bucket, beats, logs, sessions: [] })
  await database.close()
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

describe("everything that a cloud holds after a run", () => {
  test("has accounts, messages, clips, manifests, heartbeats, and lines about both", () => {
    const sources = new Set(holdings.map(({ source }) => source))
    for (const source of [
      ...["table accounts", "table inbox_messages", "table clip_objects", "table kysely_migration"],
      ...["manifest", "heartbeat", "bucket", "cloud.log", "accounts.log"],
    ])
      expect([...sources]).toContain(source)
    const { emails, recordings } = endsOf(holdings)
    expect(emails).toHaveLength(2)
    expect(recordings.length).toBeGreaterThanOrEqual(10)
  })

  test("joins what belongs together: an account with its inbox, a camera with its clips", () => {
    const graph = new JoinGraph(holdings, own)
    const row = (source: string) =>
      holdings.find((each) => each.source === source)?.record as Record<string, string>
    const { email = "", inbox = "" } = row("table accounts")
    const { device = "", clip = "" } = row("table clip_objects")
    expect(graph.path([email], [inbox])).not.toBe(null)
    expect(graph.path([device], [clip])).not.toBe(null)
    const lineAbout = (id: string) =>
      holdings.some(({ source, record }) => source.endsWith(".log") && String(record).includes(id))
    expect([lineAbout(inbox), lineAbout(device)]).toEqual([true, true])
  })

  test("has no path from an e-mail to a camera, a clip or an object", () => {
    const path = pathFromAccountToClip(holdings, own)
    expect(path && describePath(path)).toBe(null)
  })

  test("has none between two cameras either: no owner is in both", () => {
    const graph = new JoinGraph(holdings, own)
    const devices = [...new Set(endsOf(holdings).recordings.filter((id) => id.length === 40))]
    expect(devices).toHaveLength(2)
    const path = graph.path(devices.slice(0, 1), devices.slice(1))
    expect(path && describePath(path)).toBe(null)
  })
})

describe("the path is found through", () => {
  test.each(Object.entries(JOINS))("%s", (_mistake, join) => {
    const path = pathFromAccountToClip(join(holdings), own)
    expect(path).not.toBe(null)
    expect(path && describePath(path)).not.toMatch(/@/)
  })
})
