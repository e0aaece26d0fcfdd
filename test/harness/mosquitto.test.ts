import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import type { Cloud } from "../../harness/cloud/broker.ts"
import { type CloudKeys, identityOf, openCloudKeys } from "../../harness/cloud/keys.ts"
import { startSubscriber } from "../../harness/cloud/subscriber.ts"
import { bucketSource } from "../../harness/owner/bucket-source.ts"
import { Vault } from "../../harness/owner/vault.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { judge } from "../support.ts"
import { openHome } from "./home.ts"
import { startMosquitto } from "./mosquitto-broker.ts"

const mosquitto = judge("mosquitto")
let folder: string
let keys: CloudKeys
let broker: Awaited<ReturnType<typeof startMosquitto>> | null = null

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-mosquitto-"))
  keys = await openCloudKeys(join(folder, "keys.json"))
  if (mosquitto !== null) broker = await startMosquitto(mosquitto, folder)
})

afterEach(async () => {
  await broker?.stop()
  await rm(folder, { recursive: true, force: true })
})

test.skipIf(mosquitto === null)(
  "a camera at mosquitto pairs, records while no ingest listens, and delivers everything once one does",
  async () => {
    const port = broker?.port ?? 0
    const { home, camera } = await homeAt(port)
    const stop = home.run()
    await home.line((line) => line.event === "connected")
    await home.board.clock.sleep(1_200)
    home.visitor.moves(true)
    await home.board.clock.sleep(500)
    home.visitor.moves(false)
    await home.line((line) => line.event === "clip recorded")
    // mosquitto has acknowledged every publish by now, and nobody was there to take one.
    expect(home.lines.some((line) => line.event === "received")).toBe(false)
    const cloud = await startSubscriber({
      url: `mqtt://127.0.0.1:${port}`,
      directory: join(folder, "bucket"),
      keys,
      log: { write: () => undefined },
    })
    const vault = new Vault(bucketSource(cloud.bucket), camera, home.keys.identity)
    while ((await vault.view()).clips[0]?.whole !== true || (await vault.view()).clips[0]?.summary === null)
      await home.board.clock.sleep(50)
    await stop()
    const view = await vault.view()
    expect(view.alerts).toEqual([])
    expect((await vault.openClip(view.clips[0] ?? raise())).length).toBeGreaterThan(100_000)
    await cloud.close()
  },
  30_000,
)

/** A home whose "cloud" is only an address: pairing needs no ingest. */
async function homeAt(port: number) {
  const identity = identityOf("mosquitto.example", keys, null)
  const cloud = { port, identity, close: async () => undefined } as unknown as Cloud
  const clock = virtualClock()
  // Timers may fire a hair before the clock says so; an upload that looked at the clock once waited for ever.
  const hasty = {
    ...clock,
    after: (duration: number, task: () => void) => clock.after(Math.max(0, duration - 3), task),
  }
  const home = await openHome({ cloud, board: { clock: hasty } })
  return { home, camera: await home.pair() }
}

function raise(): never {
  throw new Error("not there")
}
