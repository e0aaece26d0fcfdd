import { afterEach, describe, expect, test, vi } from "vitest"
import { sign } from "../../../firmware/control/dsse.ts"
import { promise } from "./promise.ts"
import { LiveRig } from "./rig.ts"

afterEach(() => {
  vi.useRealTimers()
})

const VIEW = "firmware/live/live-view.ts"
const MEMORY = "firmware/live/memory.ts"
const BEATS = "firmware/control/own-beats.ts"

promise(
  "an owner looks, by a grant over a heartbeat, and sees every picture from a key frame on",
  async ({ LiveRig }) => {
    const rig = await LiveRig.start()
    const looker = await rig.looks()
    expect(looker.answer).toBe("live")
    await rig.later(3_000)
    expect(looker.pictures.length).toBeGreaterThan(40)
    expect(looker.pictures[0]?.unit.keyFrame).toBe(true)
    expect(looker.look.lost).toBe(0)
    expect(looker.pictures.map(({ counter }) => counter)).toEqual(looker.pictures.map((_, i) => i + 1))
    await rig.stop()
  },
  {
    "seals with a key of its own": {
      path: VIEW,
      from: 'pictures: keyFor(secret, hash, "pictures")',
      to: 'pictures: keyFor(secret, hash, "reports")',
    },
  },
)

promise(
  "a grant of the wrong age, hand, camera, boot or content is refused with its reason",
  async ({ LiveRig, newKey }) => {
    const rig = await LiveRig.start()
    const { owner, camera } = rig
    const beat = rig.beats.quote ?? raise()
    const stranger = newKey()
    const reasonOf = async (grant: Uint8Array, by = owner) => (await rig.ask(by, grant)).reason
    // Foreign: signed by somebody else, in their own name and in the owner's.
    expect(await reasonOf(rig.grant(owner, {}, stranger))).toBe("grant: signed by another key")
    const renamed = JSON.parse(Buffer.from(rig.grant(owner, {}, stranger)).toString())
    renamed.signatures[0].keyid = owner.id
    expect(await reasonOf(Buffer.from(JSON.stringify(renamed)))).toBe("grant: the signature does not hold")
    // Altered: another receiver in the owner's grant.
    const altered = JSON.parse(Buffer.from(rig.grant(owner)).toString())
    const body = JSON.parse(Buffer.from(altered.payload, "base64").toString())
    body.receiver = stranger.hex
    altered.payload = Buffer.from(JSON.stringify(body)).toString("base64")
    expect(await reasonOf(Buffer.from(JSON.stringify(altered)), stranger)).toBe(
      "grant: the signature does not hold",
    )
    // Reflected: what the owner signed for something else, and the camera itself.
    const renewal = sign("renewal", body, owner)
    expect(await reasonOf(renewal)).toBe("a grant was expected, the envelope holds another kind")
    const own = rig.broker.published.find(({ topic }) => topic.endsWith("/beat"))?.payload ?? raise()
    expect(await reasonOf(own)).toBe("a grant was expected, the envelope holds another kind")
    // For somebody else, and for another camera.
    expect(await reasonOf(rig.grant(stranger))).toBe("ask: signed by another key")
    expect(await reasonOf(rig.grant(owner, { device: "ab".repeat(20) }))).toBe("meant for another camera")
    // Of another boot, of no heartbeat of this one, of one that is still to come.
    expect(await reasonOf(rig.grant(owner, { beat: { ...beat, boot: "cd".repeat(16) } }))).toBe(
      "another boot",
    )
    for (const wrong of [{ nonce: "ef".repeat(16) }, { number: beat.number + 1 }, { number: 2 ** 40 }])
      expect(await reasonOf(rig.grant(owner, { beat: { ...beat, ...wrong } }))).toBe("unknown heartbeat")
    // Without a reason that says anything.
    const blank = sign("grant", { ...body, receiver: owner.hex, reason: " \t" }, owner)
    expect(await reasonOf(blank)).toBe("grant: reason: blank")
    const longer = sign("grant", { ...body, receiver: owner.hex, seconds: 601 }, owner)
    expect(await reasonOf(longer)).toMatch(/^grant: seconds: /)
    expect(rig.count("live view")).toBe(0)
    expect(rig.visitor.seesLight).toBe(false)
    expect((await rig.looks()).answer).toBe("live")
    expect(camera.id).toBe(rig.camera.id)
    await rig.stop()
  },
  {
    "takes a heartbeat that is still to come": {
      path: BEATS,
      from: "if (!isOurs || number >= this.#first + this.#times.length)",
      to: "if (!isOurs && number === 0)",
    },
    "lives in any boot": { path: BEATS, from: "if (boot !== this.#identity.boot)", to: 'if (boot === "")' },
  },
)

promise(
  "the same ask is good once, and a grant no longer than its seconds, from its heartbeat on",
  async ({ LiveRig }) => {
    const rig = await LiveRig.start()
    const { owner } = rig
    const grant = rig.grant(owner, { seconds: 60 })
    const looker = await rig.ask(owner, grant)
    await rig.say("view", looker.look.ask)
    expect(rig.answerTo(looker.look.ask)).toEqual({ result: "refused", reason: "replayed" })
    expect(rig.count("live view")).toBe(1)
    await rig.later(70_000)
    const seen = looker.pictures.length
    await rig.later(3_000)
    expect(looker.since(seen)).toBe(0)
    expect(rig.visitor.seesLight).toBe(false)
    expect((await rig.ask(owner, grant)).reason).toBe("expired")
    // Ten minutes after it no heartbeat is quoted any more.
    const old = rig.beats.quote ?? raise()
    await rig.later(601_000)
    expect((await rig.ask(owner, rig.grant(owner, { beat: old }))).reason).toBe("expired")
    expect((await rig.looks()).answer).toBe("live")
    await rig.stop()
  },
)

promise("a reboot ends every grant", async ({ LiveRig }) => {
  const rig = await LiveRig.start()
  const grant = rig.grant(rig.owner)
  expect((await rig.ask(rig.owner, grant)).answer).toBe("live")
  await rig.stop()
  rig.boot()
  await rig.later(1_500)
  expect((await rig.ask(rig.owner, grant)).reason).toBe("another boot")
  expect((await rig.looks()).answer).toBe("live")
  await rig.stop()
})

promise(
  "a reason that was given for one grant is not good for another; the owner needs no new one to look",
  async ({ LiveRig, newKey }) => {
    const rig = await LiveRig.start()
    const helper = newKey()
    expect((await rig.ask(helper, rig.grant(helper, { reason: "the gate" }))).answer).toBe("live")
    expect((await rig.ask(helper, rig.grant(helper, { reason: "The gate " }))).reason).toBe(
      "the same reason was given for another grant",
    )
    for (let looks = 0; looks < 2; looks++)
      expect((await rig.ask(rig.owner, rig.grant(rig.owner, { reason: "I look" }))).answer).toBe("live")
    await rig.stop()
  },
)

promise(
  "eight look at once, and the ninth is told",
  async ({ LiveRig, newKey }) => {
    const rig = await LiveRig.start()
    const first = await rig.looks()
    for (let more = 1; more < 8; more++) expect((await rig.looks(newKey())).answer).toBe("live")
    expect((await rig.looks(newKey())).reason).toBe("too many viewers")
    first.report(first.pictures.length, true)
    await rig.later(100)
    expect((await rig.looks(newKey())).answer).toBe("live")
    await rig.stop()
  },
  { "counts nobody": { path: VIEW, from: "this.#running.length >= VIEWERS_MAX", to: "false" } },
)

promise(
  "a guest who asks without end uses up their own asks, and nobody else's",
  async ({ LiveRig, newKey }) => {
    const rig = await LiveRig.start()
    const guest = newKey()
    const grant = rig.grant(guest)
    for (let asks = 0; asks < 64; asks++) expect((await rig.ask(guest, grant)).answer).toBe("live")
    expect((await rig.ask(guest, grant)).reason).toBe("too many asks")
    expect((await rig.looks()).answer).toBe("live")
    expect((await rig.looks(newKey())).answer).toBe("live")
    await rig.stop()
  },
  { "counts for all": { path: MEMORY, from: "(ask) => ask.viewer === viewer", to: "() => true" } },
)

promise("no clock on any wall decides: 1970, 2099, and one that jumps between them", async ({ LiveRig }) => {
  let year = 0
  const monotonic = () => performance.now()
  const { virtualClock } = await import("../../../simulator/clock.ts")
  const rig = await LiveRig.start({
    ...virtualClock(),
    monotonic,
    real: () => ({ at: Date.UTC(year++ % 2 === 0 ? 1970 : 2099), uncertainty: 0 }),
  })
  const grant = rig.grant(rig.owner, { seconds: 100 })
  await rig.later(90_000)
  const looker = await rig.ask(rig.owner, grant)
  expect(looker.answer).toBe("live")
  await rig.later(11_000)
  expect(rig.visitor.seesLight).toBe(false)
  expect((await rig.ask(rig.owner, grant)).reason).toBe("expired")
  await rig.stop()
})

describe("what a viewer's key must be", () => {
  test("an X25519 key of low order is refused before anything is lit or noted", async () => {
    const rig = await LiveRig.start()
    const grant = Buffer.from(rig.grant(rig.owner)).toString("base64")
    const ask = sign("ask", { device: rig.camera.id, grant, ephemeral: "00".repeat(32) }, rig.owner)
    await rig.say("view", ask)
    expect(rig.answerTo(ask)?.reason).toBe("an X25519 public key of low order")
    expect(rig.visitor.seesLight).toBe(false)
    expect(await rig.chain()).toEqual([])
    await rig.stop()
  })
})

function raise(): never {
  throw new Error("not there")
}
