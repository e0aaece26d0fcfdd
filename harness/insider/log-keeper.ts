import { randomBytes } from "node:crypto"
import { publicKeyFromHex, signingKeyOf } from "../../firmware/control/keys.ts"
import { seconds } from "../../firmware/units.ts"
import { sleep } from "../../simulator/sleep.ts"
import { Tries } from "../checks/check.ts"
import { originOf } from "../cloud/log/checkpoint.ts"
import { folderSource, type LogSource } from "../cloud/log/log-source.ts"
import type { MailboxEntry } from "../cloud/log/mailboxes.ts"
import { readLog } from "../owner/log.ts"
import { tracesInManifest } from "../owner/log-traces.ts"
import { asOwner, look, within } from "./guest.ts"
import type { Home } from "./home.ts"
import type { Insider, World } from "./world.ts"

/** Keeps the access log, and would rather that it did not say so. */
export const logKeeper: Insider = {
  name: "log keeper",
  has: "the access log's folder and its signing key",
  attempts: {
    C5: {
      when: "during",
      async run(world, signal) {
        const tries = new Tries()
        const [home] = world.homes
        const { accessLog } = world.holdings
        if (!home || accessLog === null) throw new Error("a world without homes, or without an access log")
        const source = folderSource(accessLog)
        const viewer = signingKeyOf(randomBytes(32))
        await home.alone(() => guestLooks(world, home, viewer, signal))
        const looked = within(seconds(10), signal)
        const ours = async () =>
          (await verified(world, home, source)).records.filter(({ by }) => by.key === viewer.id)
        // The camera's word comes with its next manifest, the checkpoint within a second of it.
        while ((await ours()).length === 0 && !looked.signal.aborted) await sleep(200, looked.signal)
        looked.stop()
        const { alerts, seen } = await verified(world, home, source)
        const count = (await ours()).length
        // While the cloud is away, or slow, nobody could have told it: it is tried again.
        if (count === 0 && !alerts.includes("not logged")) throw new Error("the camera's word has not come")
        tries.holds(count === 1, `one look left ${count} records`)
        tries.holds(alerts.length === 0, `the log does not hold: ${alerts[0]}`)
        const all = await source.mailbox(home.camera.id)
        for (const [position, entry] of all.entries()) {
          const without = all.filter((_, i) => i !== position)
          const changed = all.map((each, i) => (i === position ? altered(entry) : each))
          for (const [how, entries] of [
            ["removed", without],
            ["changed", changed],
          ] as const) {
            const view = await verified(world, home, { ...source, mailbox: async () => entries }, seen)
            tries.holds(view.alerts.length > 0, `a record that was ${how} is not missed`)
          }
        }
        return tries
      },
    },
  },
}

async function guestLooks(
  world: World,
  home: Home,
  viewer: ReturnType<typeof signingKeyOf>,
  signal: AbortSignal,
) {
  await asOwner(world, home, async (lending) => {
    const grant = await lending.lend(viewer, "is the parcel there", signal)
    if (!grant) return
    const until = within(seconds(10), signal)
    const { pictures, refused } = await look(world, home.camera, viewer, grant, until.signal, () =>
      until.stop(),
    )
    until.stop()
    if (pictures === 0) throw new Error(`the guest saw nothing: ${refused}`)
  })
}

/** The log as the home's owner sees it, held against what their camera has signed. */
async function verified(
  { cloud, holdings }: World,
  { camera }: Home,
  source: LogSource,
  before: Awaited<ReturnType<typeof readLog>>["seen"] = null,
) {
  const bucket = await holdings.readBucket()
  const manifests = await Promise.all(bucket.manifests(camera.id).map((each) => bucket.envelopeBytes(each)))
  const view = await readLog(source, {
    log: { origin: originOf(cloud.name), key: publicKeyFromHex(cloud.logKey) },
    ...{ devices: [camera.id], before, now: Date.now() },
    traces: manifests.flatMap((envelope) => tracesInManifest(envelope, camera)),
  })
  const { alerts, seen } = view
  return { records: view.records.get(camera.id) ?? [], alerts: alerts.map(({ kind }) => kind), seen }
}

function altered(entry: MailboxEntry): MailboxEntry {
  const text = Buffer.from(entry.record).toString()
  return { ...entry, record: Buffer.from(text.replace(/"reason":"./, '"reason":"_')) }
}
