import fc from "fast-check"
import { afterEach, expect, test, vi } from "vitest"
import { readPart } from "../../../firmware/control/live-messages.ts"
import { promise } from "./promise.ts"
import { LiveRig, newKey } from "./rig.ts"

afterEach(() => {
  vi.useRealTimers()
})

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
    const whole = first.messages.filter((message) => readPart(message).parts === 1)
    for (const message of whole.slice(0, 5)) expect(second.look.hearPart(message)).toBeNull()
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
