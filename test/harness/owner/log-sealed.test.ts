import { cp, writeFile } from "node:fs/promises"
import { join } from "node:path"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { isFault } from "../../../firmware/errors.ts"
import { openCloudKeys } from "../../../harness/cloud/keys.ts"
import { AccessLog } from "../../../harness/cloud/log/access-log.ts"
import { originOf } from "../../../harness/cloud/log/checkpoint.ts"
import { identityFromText, newHouseholdIdentity } from "../../../harness/owner/age-identity.ts"
import { withMember } from "../../../harness/owner/household-book.ts"
import { OwnerKeys } from "../../../harness/owner/keys.ts"
import * as sealed from "../../../harness/owner/log-sealed.ts"
import { openAge } from "../../../harness/owner/open-age.ts"
import { mutant } from "../../mutants.ts"
import { owner } from "./run-command.ts"
import { runMain } from "./run-main.ts"
import { type Owner, type TwoOwners, twoOwners } from "./two-owners.ts"

let world: TwoOwners
beforeAll(async () => {
  world = await twoOwners()
})
afterAll(() => world.close())

const cloudLog = () => join(world.one.home, "cloud", "log")
const bucket = () => join(world.one.home, "cloud", "bucket")
const look = (which: Owner, log = cloudLog()) => [
  "log",
  "--home",
  which.home,
  "--log",
  log,
  "--bucket",
  bucket(),
]

/** The file that `from` seals for `to`, and what `to` says of it. */
async function send(from: Owner, to: string, log = cloudLog()): Promise<string> {
  const path = join(world.folder, `sealed-${Math.random()}`)
  const { bytes } = await runMain("owner", ...look(from, log), "--export", "--to", to)
  await writeFile(path, bytes)
  return path
}

describe("owners who compare", () => {
  test("do so in files that are sealed for the one and signed by the other", async () => {
    const { one, other } = world
    const said = (await owner("log", "--home", other.home, "--key")).output
    const [, recipient = ""] = /recipient (age1\S+)/.exec(said) ?? []
    const [, key = ""] =
      /key ([0-9a-f]{64})/.exec((await owner("log", "--home", one.home, "--key")).output) ?? []
    const file = await send(one, recipient)
    const same = await owner(...look(other), "--compare", file, "--from", key)
    expect([same.code, same.output]).toEqual([0, expect.stringMatching(/signed by them[\s\S]*\nsame: /)])

    // The cloud shows the other one another log, and carries the message.
    const fork = join(world.folder, "fork")
    await cp(cloudLog(), fork, { recursive: true, filter: (path) => !path.endsWith("/lock") })
    const keys = await openCloudKeys(join(one.home, "cloud", "keys.json"))
    const log = await AccessLog.open({ directory: fork, origin: originOf("obscura.local"), key: keys.log })
    const { id: device } = other.camera
    await log.append({
      ...{ kind: "view repeated", device, at: 1, by: { role: "staff", key: null } },
      ...{ reason: "curious", grant: "a".repeat(64) },
    })
    await log.close()
    const { recordAccess } = await import("../../../harness/cloud/log/record-access.ts")
    await recordAccess(cloudLog(), {
      ...{ kind: "view repeated", device: one.camera.id, by: { role: "staff", key: null } },
      ...{ reason: "another", grant: "a".repeat(64) },
    })
    await world.cloud.close()
    const split = await owner(...look(other, fork), "--compare", await send(one, recipient), "--from", key)
    expect([split.code, split.output]).toEqual([1, expect.stringContaining("! fork, a split view")])
  })

  test("are told when nobody signed for it, or somebody else did", async () => {
    const { one, other } = world
    const open = join(world.folder, "open")
    await writeFile(open, (await runMain("owner", ...look(one), "--export")).bytes)
    expect((await runMain("owner", ...look(other), "--compare", open)).err).toContain("came in the open")
    const file = await send(one, (await other.folder.household(other.keys)).recipient)
    const wrong = await runMain("owner", ...look(other), "--compare", file, "--from", other.keys.peerKey.hex)
    expect([wrong.code > 0, wrong.err]).toEqual([true, expect.stringContaining("signed by another key")])
    for (const words of [
      ["--compare", file],
      ["--compare", open, "--from", one.keys.peerKey.hex],
    ])
      expect((await runMain("owner", ...look(other), ...words)).code).toBe(2)
    for (const words of [
      ["--to", "Anna"],
      ["--from", "a"],
      ["--export", "--to", "nobody"],
    ])
      expect((await runMain("owner", ...look(other), ...words)).code).toBe(2)
  })

  test("may name a member of their household, who opens it with age", async () => {
    const { one } = world
    const anna = await newHouseholdIdentity("x25519")
    const { book } = await one.folder.household(one.keys)
    await one.folder.keepBook(withMember(book, { name: "Anna", recipient: anna.recipientText }, 1), one.keys)
    const { bytes } = await runMain("owner", ...look(one), "--export", "--to", "Anna")
    const plain = await openAge(bytes, identityFromText(anna.secretText))
    expect(JSON.parse(Buffer.from(plain).toString()).payloadType).toContain("obscura.checkpoint")
  })
})

describe("a sealed checkpoint", () => {
  const message = Buffer.from("a note")

  /** One that was said to somebody else, and sealed again for us by whoever could open it. */
  async function passedOn({ sealCheckpoint, openCheckpointFrom }: typeof sealed): Promise<string> {
    const [sender, us, them] = await Promise.all([OwnerKeys.create(), OwnerKeys.create(), OwnerKeys.create()])
    const forUs = await sealCheckpoint({ message, at: 1 }, us.householdRecipient, sender.peerKey)
    const isOurs = (recipient: string) => recipient === us.householdRecipient
    const read = await openCheckpointFrom(sender.peerKey, forUs, us.identity, isOurs)
    expect(Buffer.from(read.message).toString()).toBe("a note")
    const forThem = await sealCheckpoint({ message, at: 1 }, them.householdRecipient, sender.peerKey)
    const envelope = await openAge(forThem, them.identity)
    const { sealAge } = await import("../../../firmware/delivery/age.ts")
    const { parseRecipient } = await import("../../../firmware/delivery/recipient.ts")
    const { header, payload } = await sealAge(envelope, parseRecipient(us.householdRecipient))
    return openCheckpointFrom(sender.peerKey, Buffer.concat([header, ...payload]), us.identity, isOurs).then(
      () => "taken",
      (error) => (isFault(error) ? error.kind : "crash"),
    )
  }

  test("that was said to somebody else is not taken", async () => {
    expect(await passedOn(sealed)).toBe("tampered")
    const path = "harness/owner/log-sealed.ts"
    const bent = await mutant<typeof sealed>(path, {
      path,
      from: "if (!isOurs(to))",
      to: "if (to === message)",
    })
    expect(await passedOn(bent)).toBe("taken")
  })

  test("with any bit changed, cut or lengthened, is refused", async () => {
    const [sender, us] = await Promise.all([OwnerKeys.create(), OwnerKeys.create()])
    const file = await sealed.sealCheckpoint({ message, at: 1 }, us.householdRecipient, sender.peerKey)
    await fc.assert(
      fc.asyncProperty(
        fc.nat(file.length - 1),
        fc.integer({ min: 0, max: 7 }),
        fc.boolean(),
        async (at, bit, cut) => {
          const bent = cut ? Buffer.from(file.subarray(0, at)) : Buffer.from(file)
          if (!cut) bent[at] = (bent[at] ?? 0) ^ (1 << bit)
          await expect(
            sealed.openCheckpointFrom(sender.peerKey, bent, us.identity, () => true),
          ).rejects.toSatisfy((error) => isFault(error))
        },
      ),
      { numRuns: 100 },
    )
  })
})
