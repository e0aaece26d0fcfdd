import { randomBytes } from "node:crypto"
import { access, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sealAge } from "../../../firmware/delivery/age.ts"
import { parseRecipient } from "../../../firmware/delivery/recipient.ts"
import { Fault, isFault } from "../../../firmware/errors.ts"
import { startCloud } from "../../cloud/broker.ts"
import { openBucket } from "../../cloud/bucket.ts"
import { openCloudKeys } from "../../cloud/keys.ts"
import { ownerCommand } from "../../commands/owner.ts"
import { newHouseholdIdentity } from "../../owner/age-identity.ts"
import { OwnerFolder } from "../../owner/folder.ts"
import { type Run, Tries } from "../check.ts"
import { heartbeatOf, manifestOf, newKey, TestCamera } from "../worlds/hand-camera.ts"

/** What an owner gives to somebody else is remembered first: a folder that cannot remember gives nothing away. */
export const checks = {
  "share-recorded-first": () =>
    withHousehold(async (tries, { home, folder, keys, camera }) => {
      const age = await sealAge(randomBytes(500), parseRecipient(keys.householdRecipient))
      const clip = randomBytes(16).toString("hex")
      const entry = {
        ...{ id: randomBytes(16).toString("hex"), kind: "segment" as const, clip, index: 0, last: true },
        ...{ headerBytes: age.header.length, payloadBytes: age.payloadBytes },
        ...{ headerHash: age.headerHash, payloadHash: age.payloadHash, commit: age.commit },
      }
      const bytes = Buffer.concat([age.header, ...age.payload])
      const manifest = manifestOf(camera, [{ entry, bytes }])
      const bucket = await openBucket(join(home, "cloud", "bucket"))
      await bucket.store({ device: camera.id, objects: [{ entry, parts: [bytes] }], manifest })
      await bucket.close()
      const { recipientText } = await newHouseholdIdentity("x25519")
      const out = join(home, "shared")
      const words = ["share", clip, "--to", recipientText, "--reason", "for the insurance", "--out", out]
      const keep = OwnerFolder.prototype.keepBook
      OwnerFolder.prototype.keepBook = async () => {
        tries.is(await isThere(out), false, "something was handed out, and the book does not say so yet")
        throw new Fault("full", "no room for the book")
      }
      await owner(home, ...words)
      tries.is(await isThere(out), false, "handed out by a household that could not keep it in its book")
      OwnerFolder.prototype.keepBook = keep
      tries.is(await owner(home, ...words), true, "shared once there is room")
      tries.is(await isThere(out), true, "handed out once there is room")
      const { book } = await folder.household(keys)
      tries.is(
        book.shares.map((share) => share.clip === clip),
        [true],
        "shares in the book",
      )
    }),

  "lent-recorded-first": () =>
    withHousehold(async (tries, { home, folder, keys, camera }) => {
      const cloudKeys = await openCloudKeys(join(home, "cloud-keys.json"))
      const log = { write: () => undefined }
      const place = { host: "127.0.0.1", port: 0, name: "test", directory: join(home, "cloud", "bucket") }
      const cloud = await startCloud({ ...place, keys: cloudKeys, log })
      await writeFile(join(home, "cloud", "identity.json"), `${JSON.stringify(cloud.identity)}\n`)
      const hand = await TestCamera.connect(cloud.port, camera, cloudKeys.receipt)
      try {
        let number = 0
        const beat = () =>
          hand.say("beat", heartbeatOf(camera, { owner: keys.signingKeyFor(camera.id).id, number: number++ }))
        await beat()
        const beating = setInterval(() => void beat().catch(() => undefined), 300)
        const out = join(home, "lent.json")
        const broker = ["--broker", `mqtt://127.0.0.1:${cloud.port}`, "--wait", "5"]
        const terms = ["--to", newKey().hex, "--reason", "the parcel", "--seconds", "1", "--out", out]
        const keep = OwnerFolder.prototype.keepSigned
        OwnerFolder.prototype.keepSigned = async () => {
          tries.is(
            await isThere(out),
            false,
            "a grant was handed out, and the owner's folder does not have it yet",
          )
          throw new Fault("full", "no room for the grant")
        }
        await owner(home, "lend", camera.id, ...broker, ...terms)
        tries.is(await isThere(out), false, "handed out by a household that could not keep the grant")
        OwnerFolder.prototype.keepSigned = keep
        tries.is(await owner(home, "lend", camera.id, ...broker, ...terms), true, "lent once there is room")
        clearInterval(beating)
        tries.is(await isThere(out), true, "handed out once there is room")
        tries.is((await folder.kept("grants", camera.id)).length, 1, "grants in the owner's folder")
      } finally {
        await hand.end()
        await cloud.close()
      }
    }),
} satisfies Readonly<Record<string, Run>>

/** A folder with an owner who has one camera. */
async function withHousehold(
  work: (tries: Tries, household: Awaited<ReturnType<typeof newHousehold>>) => Promise<void>,
): Promise<Tries> {
  const tries = new Tries()
  const home = await mkdtemp(join(tmpdir(), "obscura-checks-"))
  try {
    await work(tries, await newHousehold(home))
    return tries
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

async function newHousehold(home: string) {
  const folder = new OwnerFolder(join(home, "owner"))
  const keys = await folder.create("x25519", null)
  const camera = newKey()
  await folder.addCamera(camera)
  await mkdir(join(home, "cloud"), { recursive: true })
  return { home, folder, keys, camera }
}

/** `obscura owner WORDS` in this process, in silence. Says whether it did what it was asked. */
async function owner(home: string, ...words: readonly string[]): Promise<boolean> {
  const { log, error } = console
  const quiet = () => undefined
  Object.assign(console, { log: quiet, error: quiet })
  try {
    const command = ownerCommand().exitOverride()
    await command.parseAsync([...words, "--home", home], { from: "user" })
    return true
  } catch (cause) {
    if (isFault(cause)) return false
    throw cause
  } finally {
    Object.assign(console, { log, error })
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
