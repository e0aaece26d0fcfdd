import { randomBytes } from "node:crypto"
import { setMaxListeners } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseConfig } from "../../firmware/config.ts"
import { signingKeyOf } from "../../firmware/control/keys.ts"
import { Link } from "../../firmware/control/link.ts"
import { chunkFrame, deviceTopic, TO_CAMERA } from "../../firmware/control/protocol.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import { processClock } from "../../hardware/clock.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import { seededRandom } from "../../simulator/random.ts"
import { sleep } from "../../simulator/sleep.ts"
import { Tries } from "../checks/check.ts"
import { type Cloud, startCloud } from "../cloud/broker.ts"
import type { CloudLine } from "../cloud/cloud-log.ts"
import { CLOUD_NAME, type CloudKeys, openCloudKeys } from "../cloud/keys.ts"
import { bucketSource } from "../owner/bucket-source.ts"
import { Vault } from "../owner/vault.ts"
import { Home } from "./home.ts"
import { opens } from "./sealed-objects.ts"

/** Cameras' links: the firmware's own way back, without their lenses. */
const LINKS = 40
const DOWN_FOR: Milliseconds = seconds(0.5)
/** With the back-off that cameras ship with: a second, then two, at most the whole of it. */
const BACK_WITHIN: Milliseconds = seconds(12)
/** Of all that come back, so many in one second: anything that makes them come together has all of them there. */
const PEAK_PART = 0.9
/** The middle four fifths of them need so long at least. */
const SPREAD_MIN: Milliseconds = seconds(0.4)

/**
 * A broker that ends under a small fleet of its own and is back on its port: how the links come back, whether each is still
 * itself, and whether what a home recorded meanwhile arrives once.
 */
export async function afterRestart(seed: number, signal: AbortSignal): Promise<Tries> {
  const tries = new Tries()
  const folder = await mkdtemp(join(tmpdir(), "obscura-restart-"))
  const keys = await openCloudKeys(join(folder, "keys.json"))
  const connects: { readonly at: Milliseconds; readonly client: string }[] = []
  const log = (line: CloudLine) => {
    if (line.event === "connected") connects.push({ at: performance.now(), client: line.client })
  }
  const open = (port: number) => startCloud(optionsOf(folder, keys, port, log))
  let cloud: Cloud = await open(0)
  const done = new AbortController()
  setMaxListeners(0, done.signal) // every link listens
  const links = linksTo(cloud, seed)
  const running = links.map(({ link }) => link.run(done.signal))
  const dialler = networkDialler(`mqtt://127.0.0.1:${cloud.port}`)
  const homes = await Promise.all(
    [0, 1].map((index) => Home.open({ seed, index: 100 + index, cloud: cloud.identity, dialler })),
  )
  try {
    for (const home of homes) home.start()
    await Promise.all([
      ...homes.map((home) => home.ready(signal)),
      ...links.map(({ link }) => link.whenConnected(signal)),
    ])
    const before = connects.length
    await cloud.close()
    const recording = homes.map((home) => home.recordClip(signal))
    for (const each of recording) each.catch(() => undefined) // awaited below
    await sleep(DOWN_FOR, signal)
    cloud = await open(cloud.port)
    const back = performance.now()
    const all = LINKS + homes.length
    const returned = () => new Set(connects.slice(before).map(({ client }) => client)).size
    while (returned() < all && performance.now() - back < BACK_WITHIN && !signal.aborted)
      await sleep(20, signal)
    tries.holds(
      returned() === all,
      `${all - returned()} of ${all} were not back within ${BACK_WITHIN / 1_000} s`,
    )
    const times = connects
      .slice(before)
      .map(({ at }) => at - back)
      .sort((a, b) => a - b)
    const peak = Math.max(
      ...times.map((from) => times.filter((at) => at >= from && at < from + 1_000).length),
    )
    tries.holds(peak <= PEAK_PART * all, `${peak} of ${all} came within one second`)
    const [tenth = 0, ninth = 0] = [0.1, 0.9].map((part) => times[Math.floor(part * (times.length - 1))])
    tries.holds(ninth - tenth >= SPREAD_MIN, `four fifths came within ${Math.round(ninth - tenth)} ms`)
    // Each asks, and hears what is for it and nothing else.
    await Promise.all(
      links.map(async ({ link, key }) => {
        await link.whenConnected(signal)
        await link.publish(deviceTopic(key.id, "chunk"), strayChunk())
      }),
    )
    const answered = () => links.every(({ heard }) => heard.length > 0)
    for (let turn = 0; turn < 100 && !answered() && !signal.aborted; turn++) await sleep(20, signal)
    for (const { key, heard } of links)
      tries.holds(
        heard.length > 0 && heard.every((topic) => topic.includes(key.id)),
        "a link hears what was for another camera, or no answer of its own",
      )
    const clips = await Promise.all(recording)
    for (const [position, home] of homes.entries()) {
      const view = await new Vault(bucketSource(cloud.bucket), home.camera, home.keys.identity).view()
      const ours = view.clips.filter(({ clip }) => clip === clips[position])
      tries.holds(
        ours.length === 1 && ours[0]?.whole === true,
        `a clip is there ${ours.length} times, or not whole`,
      )
      tries.holds(
        view.alerts.length === 0,
        `after the restart the chain has an alert: ${view.alerts[0]?.kind}`,
      )
      const other = homes[1 - position]
      for (const segment of ours[0]?.segments ?? []) {
        const bytes = await cloud.bucket.objectBytes(segment.entry.id)
        if (!bytes || !other) continue
        const open = await opens(bytes, other.keys.identity)
        tries.holds(!open, "a clip opens for the wrong home")
        if (open) tries.leaks({ clips: [segment.entry.clip] })
      }
    }
    return tries
  } finally {
    done.abort()
    await Promise.allSettled([...running, ...homes.map((home) => home.stop())])
    await cloud.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Of an object that nobody announced: the cloud says so, to whom it came from. */
function strayChunk(): Buffer {
  return Buffer.concat([chunkFrame(randomBytes(16).toString("hex"), 0, 0), Buffer.from([0])])
}

function optionsOf(folder: string, keys: CloudKeys, port: number, write: (line: CloudLine) => void) {
  return {
    host: "127.0.0.1",
    port,
    name: CLOUD_NAME,
    directory: join(folder, "bucket"),
    keys,
    log: { write },
  }
}

function linksTo({ port, identity }: Cloud, seed: number) {
  return Array.from({ length: LINKS }, (_, i) => {
    const key = signingKeyOf(randomBytes(32))
    const parts = {
      ...{ clock: processClock(), random: seededRandom(seed, "link", i) },
      dialler: networkDialler(`mqtt://127.0.0.1:${port}`),
      log: { write: () => undefined },
    }
    const broker = { name: identity.name, pin: identity.brokerKey }
    const subscriptions = TO_CAMERA.map((name) => deviceTopic(key.id, name))
    const link = new Link(parts, parseConfig().link, { role: "camera", key, broker, subscriptions })
    const heard: string[] = []
    link.onMessage((topic) => void heard.push(topic))
    return { link, key, heard }
  })
}
