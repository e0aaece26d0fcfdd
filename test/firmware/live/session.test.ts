import { PassThrough } from "node:stream"
import fc from "fast-check"
import { afterEach, expect, test, vi } from "vitest"
import type { GrantedAsk } from "../../../firmware/control/grant.ts"
import type { Link } from "../../../firmware/control/link.ts"
import { SealingEnd } from "../../../firmware/live/channel.ts"
import { encodeReport } from "../../../firmware/live/picture.ts"
import type { Ring } from "../../../firmware/media/ring.ts"
import { virtualClock } from "../../../simulator/clock.ts"
import { noFaults } from "../../../simulator/faults.ts"
import { promise } from "./promise.ts"
import { LiveRig, newKey } from "./rig.ts"

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
    "looks in the dark": {
      path: VIEW,
      from: 'lit.dark = await light.hold("live view"',
      to: 'lit.dark = await (async (_: string, _lost: () => void) => () => undefined)("live view"',
    },
    "notes nothing": {
      path: VIEW,
      from: "if (!(await this.#note(session, granted)))",
      to: 'if (session === "")',
    },
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
  {
    "looks on in the dark": { path: VIEW, from: 'lit.onLost = () => begun.end("light lost")', to: "" },
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
      const sets = { sps: Buffer.from("s"), pps: [Buffer.from("p")] }
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

promise(
  "a viewer who says nothing for ten seconds is gone, and the light goes out",
  async ({ LiveRig }) => {
    const rig = await LiveRig.start()
    const looker = await rig.looks()
    looker.reports = false
    await rig.later(12_000)
    expect(rig.visitor.seesLight).toBe(false)
    expect((await rig.chain()).at(-1)).toMatchObject({ kind: "live end", cause: "gone" })
    await rig.stop()
  },
  { "waits for ever": { path: SESSION, from: "now >= this.#heardAt + SILENT_MAX", to: "now < 0" } },
)

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

promise(
  "two answers to one viewer have nothing in common: neither key, nor session, nor nonce and key together",
  async ({ LiveRig }) => {
    const rig = await LiveRig.start()
    const grant = rig.grant(rig.owner)
    const first = await rig.ask(rig.owner, grant)
    await rig.later(1_500)
    const second = await rig.ask(rig.owner, grant)
    await rig.later(1_500)
    const session = ({ messages }: typeof first) => messages[0]?.toString("hex", 1, 17)
    expect(session(first)).not.toBe(session(second))
    // What was sent by the first is nothing to the second.
    const lost = second.look.lost
    for (const message of first.messages.slice(0, 5)) expect(second.look.hearPart(message)).toBeNull()
    expect(second.look.lost).toBe(lost + 5)
    // One grant, one look: the first has ended.
    expect((await rig.chain()).filter(({ kind }) => kind === "live end")).toMatchObject([
      { cause: "replaced" },
    ])
    const keys = rig.broker.published
      .filter(({ topic, payload }) => topic.includes("/live/") && payload[0] !== 1)
      .map(({ payload }) =>
        JSON.parse(Buffer.from(JSON.parse(payload.toString()).payload, "base64").toString()),
      )
    expect(new Set(keys.map(({ answer }) => answer)).size).toBe(2)
    await rig.stop()
  },
  {
    "uses its key again": {
      path: "firmware/live/channel.ts",
      from: 'const { privateKey, publicKey } = generateKeyPairSync("x25519")',
      to: 'const { privateKey, publicKey } = (Object(globalThis).pair ??= generateKeyPairSync("x25519"))',
    },
    "lets two look by one grant": {
      path: VIEW,
      from: 'await this.#end("replaced", (session) => session.grantHash === granted.grantHash)',
      to: "",
    },
  },
)

promise(
  "what a cloud changes, repeats, leaves out or turns round on the way is never shown, and the rest is",
  async ({ LiveRig }) => {
    const rig = await LiveRig.start()
    const looker = await rig.looks()
    await rig.later(1_200)
    const honest = looker.hear.bind(looker)
    let n = 0
    const held: Buffer[] = []
    looker.hear = (payload) => {
      if (payload[0] !== 1) return honest(payload)
      n++
      if (n === 5) payload[payload.length - 20] = (payload.at(-20) ?? 0) ^ 1
      if (n === 35) return // lost
      if (n === 60) return void held.push(payload)
      honest(payload)
      if (n === 61) for (const late of held.splice(0)) honest(late)
      if (n % 2 === 0) honest(payload) // twice
    }
    await rig.later(6_000)
    const { pictures } = looker
    expect(pictures.length).toBeGreaterThan(40)
    // And all of it once more.
    for (const message of looker.messages.slice()) honest(message)
    for (const [i, picture] of pictures.entries()) {
      const before = pictures[i - 1]
      if (before) expect(picture.counter).toBeGreaterThan(before.counter)
      if (before && picture.counter !== before.counter + 1) expect(picture.unit.keyFrame).toBe(true)
    }
    await rig.stop()
  },
  {
    "opens anything": {
      path: "firmware/live/channel.ts",
      from: "if (counter <= this.#counter)",
      to: "if (counter < 0)",
    },
    "skips nothing": {
      path: "harness/owner/live-look.ts",
      from: "this.#skipping = !unit.keyFrame && (this.#skipping || !isNext)",
      to: "this.#skipping = !unit.keyFrame && isNext === undefined",
    },
  },
)

test("reports are the session's own: repeated, of another session, or reflected pictures, they count for nothing", async () => {
  const rig = await LiveRig.start()
  const [one, other] = [await rig.looks(), await rig.looks(newKey())]
  await rig.later(1_000)
  one.reports = false
  const leave = other.look.report(0, true) ?? raise()
  // Of the other's session, under this one's name; what the camera itself sent; and noise.
  const renamed = Buffer.from(leave)
  one.messages[0]?.copy(renamed, 1, 1, 17)
  await rig.say("view", renamed)
  for (const message of one.messages) await rig.say("view", message)
  await rig.later(500)
  expect(rig.count("live view ended")).toBe(0)
  await rig.later(11_000)
  expect(rig.lines.find(({ event }) => event === "live view ended")).toMatchObject({ cause: "gone" })
  await rig.stop()
})

test("whatever a cloud says where viewers speak, the camera goes on", async () => {
  const rig = await LiveRig.start()
  const looker = await rig.looks()
  const envelope = looker.look.ask
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.uint8Array({ minLength: 28, maxLength: 60 }).map((bytes) => Uint8Array.of(1, ...bytes)),
        fc.nat(envelope.length).map((length) => envelope.subarray(0, length)),
        fc.tuple(fc.nat(envelope.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, xor]) => {
          const changed = Uint8Array.from(envelope)
          changed[at] = (changed[at] ?? 0) ^ xor
          return changed
        }),
      ),
      fc.constantFrom("view" as const, "command" as const),
      async (bytes, name) => {
        rig.broker.say(`obscura/1/${rig.camera.id}/${name}`, bytes)
        await rig.later(1)
      },
    ),
    { numRuns: 300 },
  )
  await rig.later(500)
  const seen = looker.pictures.length
  await rig.later(2_000)
  expect(looker.since(seen)).toBeGreaterThan(20)
  expect(rig.count("live view")).toBe(1)
  await rig.stop()
})

function raise(): never {
  throw new Error("not there")
}
