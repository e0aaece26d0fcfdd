import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Command } from "commander"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { Fault } from "../../../firmware/errors.ts"
import { startCloud } from "../../../harness/cloud/broker.ts"
import { openBucket, type WritableBucket } from "../../../harness/cloud/bucket.ts"
import { openCloudKeys } from "../../../harness/cloud/keys.ts"
import * as commands from "../../../harness/commands/owner-household.ts"
import * as members from "../../../harness/commands/owner-members.ts"
import { newHouseholdIdentity } from "../../../harness/owner/age-identity.ts"
import { OwnerFolder } from "../../../harness/owner/folder.ts"
import { mutant } from "../../mutants.ts"
import { type Home, openHome } from "../home.ts"

/** A cloud that keeps everything but the household's book: it never signs for that. */
let folder: string
let home: Home
let stop: () => Promise<void>
let words: readonly string[]
let keepsBooks = false
const ownerFolder = () => new OwnerFolder(join(folder, "owner"))

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-rotation-"))
  await mkdir(join(folder, "cloud"))
  const keys = await ownerFolder().create("x25519", null)
  const directory = join(folder, "cloud", "bucket")
  const bucket = withoutBooks(await openBucket(directory), keys.bookKey.id)
  const cloud = await startCloud({
    ...{ host: "127.0.0.1", port: 0, name: "cloud.example", directory, bucket },
    keys: await openCloudKeys(join(folder, "cloud-keys.json")),
    log: { write: () => undefined },
  })
  await writeFile(join(folder, "cloud", "identity.json"), `${JSON.stringify(cloud.identity)}\n`)
  home = await openHome({ cloud, keys })
  await ownerFolder().addPaired(await home.pair(), keys, Date.now())
  stop = home.run()
  await home.line(({ event }) => event === "connected")
  words = ["--home", folder, "--broker", `mqtt://127.0.0.1:${cloud.port}`, "--wait", "3"]
}, 30_000)
afterAll(async () => {
  await stop()
  await home.cloud.close()
  await rm(folder, { recursive: true, force: true })
})

const keptBack = new Fault("unavailable", "kept back", { definite: false })

function withoutBooks(bucket: WritableBucket, mailbox: string): WritableBucket {
  return new Proxy(bucket, {
    get(target, name) {
      if (name === "store")
        return (record: Parameters<WritableBucket["store"]>[0]) =>
          record.device === mailbox && !keepsBooks ? Promise.reject(keptBack) : target.store(record)
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === "function" ? value.bind(target) : value
    },
  })
}

async function run(command: Command, ...first: string[]): Promise<string> {
  const lines: string[] = []
  const spy = vi.spyOn(console, "log").mockImplementation((line: unknown) => void lines.push(String(line)))
  try {
    await command.exitOverride().parseAsync([...first, ...words], { from: "user" })
    return lines.join("\n")
  } finally {
    process.exitCode = undefined
    spy.mockRestore()
  }
}

const epochs = () => home.lines.flatMap((line) => (line.event === "recipients changed" ? [line.epoch] : []))

describe("obscura owner rotate", () => {
  async function tellsNoCamera({ ownerRotateCommand } = commands): Promise<void> {
    const before = epochs().length
    await expect(run(ownerRotateCommand())).rejects.toThrow("has not signed for the household's book")
    expect(epochs().length).toBe(before)
  }

  test(
    "tells no camera of a key for which the cloud has not signed: it would be lost with this folder",
    () => tellsNoCamera(),
    20_000,
  )

  test("is finished by obscura owner household once the cloud does, with the newest key", async () => {
    keepsBooks = true
    expect(await run(commands.ownerHouseholdCommand())).toMatch(/confirmed, by a signed heartbeat/)
    const { book, recipient } = await ownerFolder().household(home.keys)
    expect(book.cameras[0]).toMatchObject({ confirmed: epochs().at(-1) })
    expect(recipient).not.toBe(home.keys.householdRecipient)
    keepsBooks = false
  }, 20_000)

  test("that tells cameras first is found out", async () => {
    const path = "harness/commands/settle-household.ts"
    const from = "    await backUpNow(open, contact)\n    let all = true"
    const bent = await mutant<typeof commands>("harness/commands/owner-household.ts", {
      path,
      from,
      to: "    let all = true",
    })
    await expect(tellsNoCamera(bent)).rejects.toThrow("expected")
  }, 30_000)
})

describe("obscura owner members remove", () => {
  async function endsLiveViews({ ownerMembersCommand } = members): Promise<void> {
    keepsBooks = true
    const revoked = () => home.lines.filter((line) => line.event === "command" && line.kind === "revocation")
    const before = revoked().length
    const { recipientText } = await newHouseholdIdentity("x25519")
    await run(ownerMembersCommand(), "add", "Anna", recipientText)
    expect(revoked().length).toBe(before)
    await run(ownerMembersCommand(), "remove", "Anna")
    expect(revoked().slice(before)).toMatchObject([{ result: "done" }])
  }

  test("takes back every live view that was lent, along with the key", () => endsLiveViews(), 30_000)

  test("that lets whoever looks go on looking is found out", async () => {
    const path = "harness/commands/owner-members.ts"
    const bent = await mutant<typeof members>(path, { path, from: "{ endLooks: true }", to: "{}" })
    await expect(endsLiveViews(bent)).rejects.toThrow("expected")
  }, 30_000)
})
