import { createServer } from "node:net"
import { describe, expect, test } from "vitest"
import { runCamera } from "../../firmware/camera.ts"
import { parseConfig } from "../../firmware/config.ts"
import type { LogLine } from "../../firmware/log.ts"
import type { Dialler } from "../../firmware/ports.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import { bucketSource } from "../../harness/owner/bucket-source.ts"
import { Vault } from "../../harness/owner/vault.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { noFaults } from "../../simulator/faults.ts"
import { FaultyDialler } from "../../simulator/faulty-dialler.ts"
import { loadScene } from "../../simulator/footage.ts"
import { seededRandom } from "../../simulator/random.ts"
import { open, received, recorded, until, walkBy } from "./camera-rig.ts"

describe.concurrent("a camera", () => {
  test("without an owner does not start its lens", async ({ onTestFinished }) => {
    const home = await open(onTestFinished)
    await expect(runCamera(home.board, home.config, new AbortController().signal)).rejects.toMatchObject({
      kind: "unpaired",
      definite: true,
    })
    expect(home.board.lens.groups).toBe(0)
  })

  test("records with the network away, and delivers when it comes back", async ({ onTestFinished }) => {
    const clock = virtualClock()
    const home = await open(onTestFinished)
    const camera = await home.pair()
    const dialler = new FaultyDialler(
      home.board.dialler,
      { ...noFaults.link, refuse: 1 },
      clock,
      seededRandom(1),
    )
    const away = await open(onTestFinished, {
      cloud: home.cloud,
      keys: home.keys,
      board: { disk: home.board.disk, dialler },
    })
    const stop = away.run()
    await clock.sleep(1_200)
    await walkBy(away)
    expect(away.lines.some(received)).toBe(false)
    dialler.faults = noFaults.link
    await away.line(received)
    await until(
      async () =>
        (await new Vault(bucketSource(home.cloud.bucket), camera, home.keys.identity).view()).clips[0]
          ?.whole === true,
    )
    await stop()
  })

  test("goes on where it was when the connection is cut in the middle of an object, and nothing comes twice", async ({
    onTestFinished,
  }) => {
    const clock = virtualClock()
    const home = await open(onTestFinished)
    const camera = await home.pair()
    const slow = { ...noFaults.link, bytesPerSecond: 300_000 }
    const dialler = new FaultyDialler(home.board.dialler, slow, clock, seededRandom(1))
    const cut = await open(onTestFinished, {
      cloud: home.cloud,
      keys: home.keys,
      board: { disk: home.board.disk, dialler },
    })
    const stop = cut.run()
    await cut.line((line) => line.event === "connected")
    await clock.sleep(1_200)
    const recording = walkBy(cut)
    await cut.line((line) => line.event === "manifest sent")
    await clock.sleep(150)
    dialler.cut()
    await recording
    dialler.faults = noFaults.link
    const vault = new Vault(bucketSource(home.cloud.bucket), camera, home.keys.identity)
    await until(
      async () =>
        (await vault.view()).clips[0]?.summary !== null && (await vault.view()).clips[0]?.whole === true,
    )
    await stop()
    const view = await vault.view()
    expect(view.alerts).toEqual([])
    const ids = view.clips.flatMap((clip) => clip.segments.map(({ entry }) => `${entry.clip} ${entry.index}`))
    expect(new Set(ids).size).toBe(ids.length)
    expect((await vault.openClip(view.clips[0] ?? raise())).length).toBeGreaterThan(100_000)
  })

  test("lets nothing go for a receipt that its cloud did not sign", async ({ onTestFinished }) => {
    const home = await open(onTestFinished)
    await home.pair()
    const liar = await open(onTestFinished, { keys: home.keys })
    // The same disk, pinned to the first cloud, meets another one of the same name whose receipts have another key.
    const fooled = await open(onTestFinished, {
      cloud: liar.cloud,
      keys: home.keys,
      board: { disk: home.board.disk },
    })
    const stop = fooled.run()
    await fooled.line((line) => line.event === "connected")
    await fooled.board.clock.sleep(1_200)
    await walkBy(fooled)
    await fooled.line((line) => line.event === "receipt refused")
    await stop()
    expect(fooled.lines.some(received)).toBe(false)
    expect((await home.board.disk.list("object.")).length).toBeGreaterThan(2)
  })

  test("drives its light before a frame leaves the ring, and puts it out after the clip", async ({
    onTestFinished,
  }) => {
    const home = await open(onTestFinished)
    await home.pair()
    const stop = home.run()
    await home.line((line) => line.event === "connected")
    await home.board.clock.sleep(1_200)
    const order: string[] = []
    const writes = home.board.pins.record(() => home.board.clock.monotonic())
    await walkBy(home)
    for (const line of home.lines)
      if (line.event === "light") order.push(line.on ? "light on" : "light off")
      else if (line.event === "clip opened" || line.event === "clip recorded") order.push(line.event)
    await until(() => !home.visitor.seesLight)
    await stop()
    expect(order.slice(0, 2)).toEqual(["light on", "clip opened"])
    const values = writes.filter(({ pin }) => pin === home.config.pins.light).map(({ value }) => value)
    expect(values.slice(0, 2)).toEqual([1, 0])
  })

  test("records nothing at all when its light cannot be driven", async ({ onTestFinished }) => {
    const home = await open(onTestFinished)
    await home.pair()
    const running = home.run()
    await home.line((line) => line.event === "connected")
    home.board.pins.breakPin(home.config.pins.light)
    home.visitor.moves(true)
    await home.line((line) => line.event === "fault" && line.where === "light")
    await home.board.clock.sleep(300)
    expect(home.lines.some((line) => line.event === "clip opened")).toBe(false)
    await running()
  })

  test("makes exactly one clip of motions that overlap its post-roll", async ({ onTestFinished }) => {
    const home = await open(onTestFinished, { config: { recording: { preRoll: 500, postRoll: 5_000 } } })
    await home.pair()
    const stop = home.run()
    await home.line((line) => line.event === "connected")
    await home.board.clock.sleep(1_200)
    for (let motions = 0; motions < 3; motions++) {
      home.visitor.moves(true)
      await home.board.clock.sleep(200)
      home.visitor.moves(false)
      await home.board.clock.sleep(400)
    }
    await home.line(recorded)
    // Long enough for a motion that was kept back to open another.
    await home.board.clock.sleep(300)
    const count = (event: LogLine["event"]) => home.lines.filter((line) => line.event === event).length
    expect([count("clip opened"), count("clip recorded")]).toEqual([1, 1])
    await stop()
  })

  test("ends a clip at its greatest length, and goes on in the next while motion lasts", async ({
    onTestFinished,
  }) => {
    const home = await open(onTestFinished, {
      config: { recording: { preRoll: 500, postRoll: 500, clipMax: 3_000 } },
    })
    await home.pair()
    const stop = home.run()
    await home.line((line) => line.event === "connected")
    await home.board.clock.sleep(1_200)
    home.visitor.moves(true)
    await until(() => home.lines.filter(recorded).length >= 2)
    home.visitor.moves(false)
    await stop()
    expect(home.lines.filter(recorded).slice(0, 2)).toMatchObject([{ segments: 3 }, { segments: 3 }])
  })

  test("that is stopped while it records closes the clip first", async ({ onTestFinished }) => {
    const home = await open(onTestFinished)
    const camera = await home.pair()
    const stop = home.run()
    await home.line((line) => line.event === "connected")
    await home.board.clock.sleep(1_500)
    home.visitor.moves(true)
    await home.line((line) => line.event === "object sealed")
    await stop()
    expect(home.lines.some(recorded)).toBe(true)
    const again = home.run()
    const vault = new Vault(bucketSource(home.cloud.bucket), camera, home.keys.identity)
    await until(async () => (await vault.view()).clips.some(({ whole }) => whole))
    await again()
  })

  test("whose scene has nobody in it keeps nothing of what moved", async ({ onTestFinished }) => {
    const home = await open(onTestFinished, {
      board: { footage: await loadScene("windy-tree"), eyes: "truth" },
    })
    await home.pair()
    const stop = home.run()
    await home.line((line) => line.event === "connected")
    await home.board.clock.sleep(1_200)
    home.visitor.moves(true)
    await home.line((line) => line.event === "clip discarded")
    await stop()
    expect(home.cloud.bucket.objectCount).toBe(0)
    expect(await home.board.disk.list("object.")).toEqual([])
  })
})

test("a broker that takes every connection and then drops it sees no storm", async ({ onTestFinished }) => {
  let connections = 0
  const server = createServer((socket) => {
    connections++
    socket.once("data", () => {
      socket.write(Buffer.from([0x20, 2, 0, 0])) // CONNACK: welcome
      setTimeout(() => socket.destroy(), 5)
    })
    socket.on("error", () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  const port = typeof address === "object" && address ? address.port : 0
  const home = await open(onTestFinished)
  await home.pair()
  const dialler: Dialler = networkDialler(`mqtt://127.0.0.1:${port}`)
  const config = parseConfig({ link: { retryFirst: 100, retryMax: 800, stableAfter: 60_000 } })
  const stop = new AbortController()
  const running = runCamera({ ...home.board, dialler }, config, stop.signal)
  await home.board.clock.sleep(3_000)
  stop.abort()
  await running
  server.close()
  const waits = home.lines.flatMap((line) => (line.event === "disconnected" ? [line.againIn] : []))
  // With a back-off that a good connection resets, 5 ms connections would make hundreds.
  expect(connections).toBeGreaterThan(2)
  expect(connections).toBeLessThan(25)
  expect(Math.min(...waits)).toBeGreaterThan(10)
})

function raise(): never {
  throw new Error("not there")
}
