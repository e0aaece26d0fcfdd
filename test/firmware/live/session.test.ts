import { PassThrough } from "node:stream"
import { afterEach, expect, vi } from "vitest"
import type { GrantedAsk } from "../../../firmware/control/grant.ts"
import type { Link } from "../../../firmware/control/link.ts"
import { SealingEnd } from "../../../firmware/live/channel.ts"
import { encodeReport } from "../../../firmware/live/picture.ts"
import type { Ring } from "../../../firmware/media/ring.ts"
import { virtualClock } from "../../../simulator/clock.ts"
import { noFaults } from "../../../simulator/faults.ts"
import { promise } from "./promise.ts"

afterEach(() => {
  vi.useRealTimers()
})

const VIEW = "firmware/live/live-view.ts"
const SESSION = "firmware/live/session.ts"

promise(
  "the light burns, and the chain says so durably, before a picture leaves; at its end the chain says so, and it is dark",
  async ({ LiveRig }) => {
    const rig = await LiveRig.start()
    const order: string[] = []
    const writes = rig.board.pins.record(() => 0)
    const { onPublish } = rig.broker
    rig.broker.onPublish = (topic, payload) => {
      if (topic.includes("/live/") && payload[0] === 1 && order.length === 0) {
        order.push(
          writes.some(({ pin, value }) => pin === rig.config.pins.light && value === 1) ? "lit" : "dark",
        )
        order.push(rig.disk.count("manifest.") > 0 ? "noted" : "not noted")
      }
      onPublish(topic, payload)
    }
    const looker = await rig.looks()
    expect(rig.lines.find(({ event }) => event === "light")).toMatchObject({ holds: ["live view"] })
    await rig.later(2_000)
    looker.report(looker.pictures.length, true)
    await rig.later(500)
    expect(order).toEqual(["lit", "noted"])
    expect(rig.visitor.seesLight).toBe(false)
    const [begun, ended] = await rig.chain()
    expect(begun).toMatchObject({ kind: "live", grant: looker.look.grantHash, viewer: rig.owner.id })
    expect(ended).toMatchObject({ kind: "live end", cause: "left", pictures: looker.pictures.length })
    await rig.stop()
  },
  {
    "does not say when it ends": {
      path: VIEW,
      from: 'await spool.say({ kind: "live end", session: id, cause, pictures })',
      to: "",
    },
  },
)

promise(
  "without its light, or without room for a word in its chain, nobody looks",
  async ({ LiveRig }) => {
    const rig = await LiveRig.start()
    rig.disk.faults = { ...noFaults.disk, full: true }
    expect((await rig.looks()).reason).toBe("no room to note it")
    rig.disk.faults = noFaults.disk
    expect(rig.visitor.seesLight).toBe(false)
    rig.board.pins.breakPin(rig.config.pins.light)
    const looker = await rig.looks()
    expect(looker.reason).toBe("the recording light does not follow")
    await rig.later(3_000)
    expect(looker.messages).toEqual([])
    await rig.stop()
  },
  {
    "looks in the dark": {
      path: VIEW,
      from: 'return refused("the recording light does not follow")',
      to: "",
    },
    "looks without a word": { path: VIEW, from: 'return refused("no room to note it")', to: "" },
  },
)

promise(
  "when the recording light goes out by itself nobody looks on, and the chain says why",
  async ({ LiveRig }) => {
    const rig = await LiveRig.start()
    const looker = await rig.looks()
    await rig.later(1_000)
    rig.board.pins.breakPin(rig.config.pins.light)
    await rig.later(500)
    const seen = looker.pictures.length
    await rig.later(3_000)
    expect(looker.pictures).toHaveLength(seen)
    const [, ended] = await rig.chain()
    expect(ended).toMatchObject({ kind: "live end", cause: "light lost", pictures: seen })
    await rig.stop()
  },
)

promise(
  "a viewer who takes nothing costs no memory: pictures stop, and go on at a key frame; nobody else notices",
  async ({ LiveRig, newKey }) => {
    const rig = await LiveRig.start()
    const [slow, quick] = [await rig.looks(), await rig.looks(newKey())]
    await rig.later(1_000)
    slow.reports = false
    const before = slow.messages.length
    await rig.later(5_000)
    const unreported = slow.messages.slice(before).reduce((sum, { length }) => sum + length, 0)
    expect(unreported).toBeLessThan(2.5 * 2 ** 20)
    expect(slow.messages.length - before).toBeLessThan(45)
    expect(quick.pictures.length).toBeGreaterThan(75)
    // It wakes up.
    slow.reports = true
    slow.report(slow.pictures.at(-1)?.counter ?? 0)
    const seen = slow.pictures.length
    await rig.later(2_500)
    expect(slow.since(seen)).toBeGreaterThan(15)
    expect(slow.pictures[seen]?.unit.keyFrame).toBe(true)
    expect([slow.look.lost, quick.look.lost]).toEqual([0, 0])
    await rig.stop()
  },
  {
    "waits for nobody, and keeps all": {
      path: SESSION,
      from: "return late === true || this.#underWayBytes > UNREPORTED_BYTES_MAX",
      to: "return late === 0",
    },
  },
)

promise(
  "what is left out is left out up to the next key frame, wherever in a group the viewer catches up",
  async ({ LiveSession }) => {
    const clock = virtualClock()
    const units = new PassThrough({ objectMode: true })
    const ring = { from: () => units } as unknown as Ring
    let sent = 0
    const link = {
      async publish() {
        sent++
      },
    } as unknown as Link
    const until = clock.monotonic() + 60_000
    const granted = { grantHash: "", viewer: "", isOwner: true, until, renewBy: until } as GrantedAsk
    const keys = { pictures: Buffer.alloc(32, 1), reports: Buffer.alloc(32, 2) }
    const id = "ab".repeat(16)
    const session = new LiveSession(id, granted, keys, { ring, link, clock, device: "" })
    const running = session.run()
    const show = async (keyFrame: boolean, size: number): Promise<number> => {
      const before = session.pictures
      const sets = { sps: Buffer.from("s"), pps: [Buffer.from("p")], picture: { width: 1280, height: 720 } }
      units.write({ keyFrame, nals: [[Buffer.alloc(size)]], at: 0, pts: 0, dts: 0, sets })
      await new Promise((resolve) => setImmediate(resolve))
      return session.pictures - before
    }
    const viewer = new SealingEnd(id, Buffer.from(keys.reports))
    expect([await show(true, 2 ** 20), await show(false, 2 ** 20), await show(false, 2 ** 20)]).toEqual([
      1, 1, 0,
    ])
    for (const message of viewer.seal([encodeReport({ leaves: false, counter: 2 })]))
      session.report(Buffer.concat(message))
    expect([await show(false, 10), await show(true, 10), await show(false, 10)]).toEqual([0, 1, 1])
    expect(sent).toBeGreaterThan(30)
    session.end("left")
    units.end()
    expect(await running).toBe("left")
  },
  {
    "goes on anywhere": {
      path: SESSION,
      from: "else if (unit.keyFrame) this.#skipping = false",
      to: "else this.#skipping = false",
    },
    "never stops": { path: SESSION, from: "this.#underWayBytes > UNREPORTED_BYTES_MAX", to: "false" },
    "never goes on": { path: SESSION, from: "this.#underWayBytes -= first.bytes", to: "" },
  },
)

promise("a viewer who says nothing for ten seconds is gone, and the light goes out", async ({ LiveRig }) => {
  const rig = await LiveRig.start()
  const looker = await rig.looks()
  looker.reports = false
  await rig.later(12_000)
  expect(rig.visitor.seesLight).toBe(false)
  expect((await rig.chain()).at(-1)).toMatchObject({ kind: "live end", cause: "gone" })
  await rig.stop()
})

promise(
  "recording goes on beside several viewers, and keeps all of it",
  async ({ LiveRig, newKey }) => {
    const rig = await LiveRig.start()
    for (let viewers = 0; viewers < 3; viewers++) await rig.looks(newKey())
    rig.visitor.moves(true)
    await rig.later(3_000)
    rig.visitor.moves(false)
    await rig.later(3_000)
    const recorded = rig.lines.find(({ event }) => event === "clip recorded")
    expect(recorded).toMatchObject({ segments: expect.any(Number) })
    expect(recorded?.event === "clip recorded" ? recorded.segments : 0).toBeGreaterThan(4)
    expect(rig.visitor.seesLight).toBe(true)
    expect(rig.count("media skipped")).toBe(0)
    for (const { pictures, look } of rig.lookers.values()) {
      expect(pictures.length).toBeGreaterThan(70)
      expect(look.lost).toBe(0)
    }
    await rig.stop()
  },
  {
    "puts the light out with the clip": {
      path: "firmware/pins/light.ts",
      from: "if (this.#holds.size === 0) this.#led.off()",
      to: "this.#led.off()",
    },
  },
)

promise(
  "a power cut ends a look, and the next boot says so in the chain",
  async ({ LiveRig }) => {
    const rig = await LiveRig.start()
    await rig.looks()
    await rig.later(1_000)
    await rig.cutPower()
    const ends = (await rig.chain()).filter(({ kind }) => kind === "live end")
    expect(ends).toMatchObject([{ cause: "power cut", pictures: null }])
    await rig.stop()
    rig.boot()
    await rig.later(1_000)
    expect((await rig.chain()).filter(({ kind }) => kind === "live end")).toHaveLength(1)
    await rig.stop()
  },
  {
    "does not remember": { path: VIEW, from: "await this.#open.add(session)", to: "" },
    "says it at each boot": { path: VIEW, from: "if (left.length > 0) await open.clear()", to: "" },
  },
)
