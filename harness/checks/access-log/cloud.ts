import { mkdir, open, readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { sign } from "../../../firmware/control/dsse.ts"
import { signingKeyOf } from "../../../firmware/control/keys.ts"
import type { Entry, Heartbeat, Manifest } from "../../../firmware/control/protocol.ts"
import { Fault, isFault } from "../../../firmware/errors.ts"
import type { BucketRecord, WritableBucket } from "../../cloud/bucket.ts"
import { publicFolder } from "../../cloud/log/access-log.ts"
import { signCheckpoint } from "../../cloud/log/checkpoint.ts"
import { encodeCheckpointMessage } from "../../cloud/log/checkpoint-message.ts"
import { bucketThatLogs } from "../../cloud/log/live-sessions.ts"
import { folderSource } from "../../cloud/log/log-source.ts"
import { leafHash, nodeHash } from "../../cloud/log/merkle.ts"
import { Witness } from "../../cloud/log/witness.ts"
import { tracesInManifest } from "../../owner/log-traces.ts"
import type { Run } from "../check.ts"
import { accessTo, LOG, LOG_KEY, look, OURS, withLogs } from "../worlds/log-folders.ts"

/** What a cloud writes down, when, and who else holds it to that. */
export const checks = {
  "session-logged-before-taken": () =>
    withLogs(async (tries, folders) => {
      const camera = signingKeyOf(Buffer.alloc(32, 11))
      const beats = { latest: () => ({ owner: "0".repeat(40) }) as Heartbeat }
      const directory = await folders.make()
      const log = await folders.open(directory)
      const stored: number[] = []
      const stand = { store: async () => void stored.push(log.size) } as unknown as WritableBucket
      const bucket = bucketThatLogs(stand, beats, log, () => 5)
      const manifest = manifestOf(camera, ["1", "2"].map(live))
      for (let times = 1; times <= 2; times++) {
        await bucket.store(manifest)
        tries.is(stored, Array(times).fill(2), "entries of the log, each time that the manifest was taken in")
      }
      const traces = tracesInManifest(manifest.envelope, camera)
      const view = await look(folderSource(directory), null, { devices: [camera.id], traces })
      tries.is(
        [traces.length, view.alerts.length],
        [2, 0],
        "live sessions in the chain, and alerts about them",
      )
      await log.close()
      const refusing = {
        append: () => Promise.reject(new Fault("full", "no room")),
        mailbox: async () => [],
        publish: async () => undefined,
      }
      const before = stored.length
      await bucketThatLogs(stand, beats, refusing, () => 5)
        .store(manifest)
        .catch((error: unknown) => {
          if (!isFault(error)) throw error
        })
      tries.is(stored.length, before, "manifests taken in while nothing could be logged")
    }),

  "append-is-durable": () =>
    withLogs(async (tries, folders) => {
      const directory = await folders.make()
      const log = await folders.open(directory)
      const file = await open(join(publicFolder(directory), "checkpoint"))
      await file.close()
      // What every file handle of this process inherits.
      const handle = Object.getPrototypeOf(file)
      const { datasync } = handle
      for (let n = 0; n < 3; n++) {
        let release: () => void = () => undefined
        const held = new Promise<void>((resolve) => {
          release = resolve
        })
        let asked = false
        handle.datasync = async function () {
          asked = true
          await held
          return datasync.call(this)
        }
        let resolved = false
        const appending = log.append(accessTo(OURS, n)).then(() => {
          resolved = true
        })
        while (!asked && !resolved) await turn()
        for (let turns = 0; turns < 20; turns++) await turn()
        tries.is(resolved, false, "an entry counted before it was synced")
        release()
        await appending
        handle.datasync = datasync
      }
      await log.close()
      tries.is(
        (await folders.open(directory).then(async (again) => [again.size, await again.close()]))[0],
        3,
        "entries",
      )
    }),

  "witness-signs-no-fork": () =>
    withLogs(async (tries, folders) => {
      const directory = await folders.make()
      await mkdir(join(directory, "logs"), { recursive: true })
      const witness = () =>
        new Witness(directory, { name: "witness.example", key: signingKeyOf(Buffer.alloc(32, 5)) })
      const [one, two, three] = [
        { size: 1, root: leaf(1) },
        { size: 2, root: nodeHash(leaf(1), leaf(2)) },
        { size: 3, root: nodeHash(nodeHash(leaf(1), leaf(2)), leaf(3)) },
      ]
      if (!one || !two || !three) throw new Error("three trees")
      await witness().cosign(message(one, 0, []), LOG, 1)
      await witness().cosign(message(two, 1, [leaf(2)]), LOG, 2)
      const other = nodeHash(leaf(7), leaf(2))
      const wrong: readonly (readonly [string, Uint8Array])[] = [
        ["another tree of that size", message({ size: 2, root: other }, 2, [])],
        ["a fork that goes on", message({ size: 3, root: nodeHash(other, leaf(3)) }, 2, [leaf(3)])],
        ["less than before", message(one, 0, [])],
        ["a proof from elsewhere", message(three, 0, [])],
        ["another key's", message(three, 2, [leaf(3)], signingKeyOf(Buffer.alloc(32, 6)))],
        ["no message", Buffer.from("old 2\n")],
      ]
      for (const [what, bytes] of wrong) await tries.refused(() => witness().cosign(bytes, LOG, 3), what)
      tries.is((await witness().seen(LOG.origin)).size, 2, "what it has signed last")
      const goesOn = await witness()
        .cosign(message(three, 2, [leaf(3)]), LOG, 4)
        .then(
          () => true,
          (error: unknown) => !isFault(error),
        )
      tries.is(goesOn, true, "the honest continuation, signed after all that")
    }),

  "says-nothing-in-public": () =>
    withLogs(async (tries, folders) => {
      const directory = await folders.make()
      const log = await folders.open(directory)
      // The same access three times: even then nothing in the tree is alike.
      for (let times = 0; times < 3; times++) await log.append(accessTo(OURS, 1))
      await log.close()
      const shown: Buffer[] = []
      for (const entry of await readdir(publicFolder(directory), { recursive: true, withFileTypes: true }))
        if (entry.isFile()) shown.push(await readFile(join(entry.parentPath, entry.name)))
      const tree = Buffer.concat(shown)
      const entries = await folderSource(directory).mailbox(OURS)
      for (const { record, salt } of entries)
        for (const secret of [salt, record, Buffer.from(OURS), Buffer.from(OURS, "hex"), leafHash(record)])
          tries.is(tree.includes(Buffer.from(secret)), false, "something of a record is in the public tree")
      tries.is(
        new Set(entries.map(({ salt }) => Buffer.from(salt).toString("hex"))).size,
        3,
        "salts of three entries",
      )
    }),

  "reason-wanted": () =>
    withLogs(async (tries, folders) => {
      const log = await folders.open(await folders.make())
      for (const reason of ["", " ", "   ", "\t", "two\nlines", "x".repeat(201)])
        await tries.refused(() => log.append({ ...accessTo(OURS, 1), reason }), "an access without a reason")
      tries.is(log.size, 0, "entries after all that")
      await log.close()
    }),
} satisfies Readonly<Record<string, Run>>

const turn = () => new Promise((resolve) => setImmediate(resolve))
const leaf = (n: number) => leafHash(Buffer.from([n]))

/** `head` as the log signs it, with a proof from `old` entries on. */
const message = (
  head: { readonly size: number; readonly root: Uint8Array },
  old: number,
  proof: readonly Uint8Array[],
  key = LOG_KEY,
) =>
  encodeCheckpointMessage({
    old,
    proof: [...proof],
    note: signCheckpoint({ origin: LOG.origin, ...head }, key),
  })

const live = (session: string): Entry => ({
  ...{ kind: "live", session: session.repeat(32), grant: "a".repeat(64), viewer: "e".repeat(40) },
})

function manifestOf(
  camera: ReturnType<typeof signingKeyOf>,
  entries: Entry[],
): BucketRecord & { readonly envelope: Uint8Array } {
  const zeros = "0".repeat(64)
  const body: Manifest = {
    ...{ device: camera.id, sequence: 0, previous: zeros, epoch: 1, recipients: zeros, entries },
  }
  const envelope = sign("manifest", body, camera)
  return { device: camera.id, objects: [], manifest: { envelope, hash: zeros, body }, envelope }
}
