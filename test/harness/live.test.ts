import { randomBytes } from "node:crypto"
import { describe, expect, type onTestFinished, test } from "vitest"
import type { PublicKey } from "../../firmware/control/keys.ts"
import { type SigningKey, signingKeyOf } from "../../firmware/control/keys.ts"
import { Link } from "../../firmware/control/link.ts"
import { bucketSource } from "../../harness/owner/bucket-source.ts"
import { sendCommand } from "../../harness/owner/command.ts"
import { ownGrants, privacyOff, privacyOn } from "../../harness/owner/grants.ts"
import { HeardBeats } from "../../harness/owner/heard-beats.ts"
import { Lending } from "../../harness/owner/lending.ts"
import { LiveWatch, type WatchParts } from "../../harness/owner/live-watch.ts"
import { Vault } from "../../harness/owner/vault.ts"
import { type Home, openHome } from "./home.ts"

/** Cloud, broker, owner and several viewers, all real, over loopback. */

interface Running {
  readonly home: Home
  readonly camera: PublicKey
  readonly owner: SigningKey
  readonly stop: () => Promise<void>
}

async function running(onFinished: typeof onTestFinished): Promise<Running> {
  // A home sends again after a second. So long no answer takes here but on a machine that others share, and then a look
  // that nobody cut would end.
  const link = { retryFirst: 50, heartbeatEvery: 1_000, resendAfter: 20_000 }
  const home = await openHome({ config: { link } })
  onFinished(() => home.close())
  const camera = await home.pair()
  const stop = home.run()
  await home.line(({ event }) => event === "connected")
  return { home, camera, owner: home.keys.signingKeyFor(camera.id), stop }
}

const quiet = { write: () => undefined }

function partsOf({ home, camera }: Running) {
  const broker = { name: home.cloud.identity.name, pin: null }
  return { camera, broker, link: { ...home.board, log: quiet }, config: home.config.link }
}

function watchOf(at: Running, viewer: SigningKey, grant?: WatchParts["grant"]): LiveWatch {
  const role = viewer.id === at.owner.id ? "owner" : "viewer"
  return new LiveWatch({
    ...partsOf(at),
    ...{ viewer, role },
    grant: grant ?? ownGrants(at.camera, at.owner, "I look"),
  })
}

/** Latencies of pictures taken after the look began, in milliseconds, from lens to viewer. */
async function look(watch: LiveWatch, pictures: number): Promise<number[]> {
  const end = new AbortController()
  const latencies: number[] = []
  const begun = performance.now()
  for await (const { unit } of watch.pictures(end.signal)) {
    if (unit.at > begun) latencies.push(performance.now() - unit.at)
    if (latencies.length >= pictures) end.abort()
  }
  return latencies
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20))
}

describe.concurrent("live view over a real broker", () => {
  test("several viewers look at once, recording goes on, and the owner's vault is as whole as ever", async ({
    onTestFinished,
  }) => {
    const at = await running(onTestFinished)
    const { home, camera, owner, stop } = at
    const lending = new Lending({ ...partsOf(at), owner })
    const done = new AbortController()
    const lent = lending.run(done.signal)
    const viewers = [1, 2, 3, 4].map(() => signingKeyOf(randomBytes(32)))
    const watches = viewers.map((viewer, i) =>
      watchOf(at, viewer, async (_beats, signal) => {
        const envelope = await lending.lend(viewer, `guest ${i}`, signal)
        return envelope && { envelope, for: 600_000 }
      }),
    )
    home.visitor.moves(true)
    const seen = Promise.all(watches.map((watch) => look(watch, 60)))
    await home.board.clock.sleep(2_500)
    home.visitor.moves(false)
    expect((await seen).map(({ length }) => length)).toEqual([60, 60, 60, 60])
    for (const watch of watches) expect([watch.looks, watch.lost]).toEqual([1, 0])
    await home.line(({ event }) => event === "clip recorded")
    const ended = () => home.lines.filter(({ event }) => event === "live view ended")
    await until(() => ended().length === 4)
    expect(ended().map((line) => (line.event === "live view ended" ? line.cause : ""))).toEqual(
      Array(4).fill("left"),
    )
    const vault = new Vault(bucketSource(home.cloud.bucket), camera, home.keys.identity)
    // Words without a payload overtake objects: until all of it is there the chain has gaps.
    await until(async () => {
      const { clips, alerts } = await vault.view()
      return clips[0]?.whole === true && alerts.length === 0
    })
    done.abort()
    await lent
    await stop()
    expect(home.lines.filter(({ event }) => event === "fault" || event === "media skipped")).toEqual([])
  })

  test("an owner looks, and a picture is with them soon after it left the lens", async ({
    onTestFinished,
  }) => {
    const at = await running(onTestFinished)
    const watch = watchOf(at, at.owner)
    const latencies = await look(watch, 60)
    expect(latencies).toHaveLength(60)
    expect([watch.looks, watch.lost]).toEqual([1, 0])
    await at.home.line((line) => line.event === "live view ended" && line.cause === "left")
    await at.stop()
  })

  test("a viewer goes on by itself when the camera was restarted", async ({ onTestFinished }) => {
    const at = await running(onTestFinished)
    const watch = watchOf(at, at.owner)
    const end = new AbortController()
    let [before, after, again] = [0, 0, (): Promise<void> => Promise.resolve()]
    for await (const _ of watch.pictures(end.signal)) {
      if (watch.looks === 1 && ++before === 20)
        void at.stop().then(() => {
          again = at.home.run()
        })
      if (watch.looks > 1 && ++after === 20) end.abort()
    }
    expect([before >= 20, after]).toEqual([true, 20])
    await again()
  })

  test("whoever has no grant of the owner's does not reach the camera; who has one for somebody else neither", async ({
    onTestFinished,
  }) => {
    const at = await running(onTestFinished)
    const [stranger, guest] = [signingKeyOf(randomBytes(32)), signingKeyOf(randomBytes(32))]
    const lending = new Lending({ ...partsOf(at), owner: at.owner })
    const done = new AbortController()
    const lent = lending.run(done.signal)
    const grant = await lending.lend(guest, "a guest", done.signal)
    const theirs: WatchParts["grant"] = async () => grant && { envelope: grant, for: 600_000 }
    const forged: WatchParts["grant"] = (_beats, signal) =>
      ownGrants(at.camera, stranger, "let me in")(heard, signal)
    const heard = new HeardBeats(at.camera)
    const link = new Link({ ...at.home.board, log: quiet }, at.home.config.link, {
      ...{ role: "owner", key: at.owner, broker: partsOf(at).broker, subscriptions: [heard.topic] },
    })
    link.onMessage((topic, payload) => void heard.hear(topic, payload))
    const listening = link.run(done.signal)
    await heard.next(done.signal)
    for (const with_ of [theirs, forged])
      await expect(look(watchOf(at, stranger, with_), 1)).rejects.toMatchObject({ kind: "unavailable" })
    expect(at.home.lines.some((line) => line.event === "command" && line.kind === "ask")).toBe(false)
    expect(at.home.cloud.stats.refused["foreign topic"]).toBeGreaterThan(0)
    expect(at.home.lines.some(({ event }) => event === "live view")).toBe(false)
    done.abort()
    await Promise.all([lent, listening])
    await at.stop()
  })

  test("a grant that the owner takes back ends the look, and the viewer is told why", async ({
    onTestFinished,
  }) => {
    const at = await running(onTestFinished)
    const guest = signingKeyOf(randomBytes(32))
    const lending = new Lending({ ...partsOf(at), owner: at.owner })
    const done = new AbortController()
    const lent = lending.run(done.signal)
    const grant = await lending.lend(guest, "a guest", done.signal)
    if (!grant) throw new Error("no grant")
    let pictures = 0
    const watch = watchOf(at, guest, async () => ({ envelope: grant, for: 600_000 }))
    const seen = (async () => {
      for await (const _ of watch.pictures(done.signal)) pictures++
    })()
    seen.catch(() => undefined)
    await until(() => pictures > 0)
    await lending.takeBack(grant)
    const ended = await at.home.line(({ event }) => event === "live view ended")
    const sent = ended.event === "live view ended" ? ended.pictures : 0
    await expect(seen).rejects.toMatchObject({
      kind: "refused",
      message: "live: the camera refuses: revoked",
    })
    expect(pictures).toBeLessThanOrEqual(sent)
    done.abort()
    await lent
    await at.stop()
  })

  test("privacy mode is entered from afar and left at the camera", async ({ onTestFinished }) => {
    const at = await running(onTestFinished)
    const { home, camera, owner, stop } = at
    const beats = new HeardBeats(camera)
    const done = new AbortController()
    const parts = partsOf(at)
    const link = new Link(parts.link, parts.config, {
      ...{ role: "owner", key: owner, broker: parts.broker, subscriptions: [beats.topic] },
    })
    link.onMessage((topic, payload) => void beats.hear(topic, payload))
    const listening = link.run(done.signal)
    await beats.next(done.signal)
    // Ends the listening link: one key is one connection.
    done.abort()
    await listening
    const send = (command: Uint8Array) =>
      sendCommand(command, camera, owner, parts.broker, parts.link, parts.config, AbortSignal.timeout(5_000))
    expect(await send(privacyOn(camera.id, beats.quote ?? raise(), owner))).toMatchObject({ result: "done" })
    expect(await send(privacyOff(camera.id, "00".repeat(16), owner))).toMatchObject({ result: "refused" })
    const groups = home.board.lens.groups
    await expect(look(watchOf(at, owner), 1)).rejects.toThrow("live: the camera refuses: privacy mode")
    expect(home.board.lens.groups).toBe(groups)
    await stop()
  })
})

function raise(): never {
  throw new Error("not there")
}
