import { sign } from "../../../firmware/control/dsse.ts"
import type { SigningKey } from "../../../firmware/control/keys.ts"
import { virtualClock } from "../../../simulator/clock.ts"
import { time } from "../../virtual/install.ts"
import { type Run, Tries } from "../check.ts"
import { LiveRig, newKey } from "../worlds/live-rig.ts"

/** Who may look, and for how long a word of the owner's counts. */
export const checks = {
  "only-by-grant": async () => {
    const tries = new Tries()
    const rig = await LiveRig.start(time)
    const { owner } = rig
    const stranger = newKey()
    const beat = rig.beats.quote
    if (!beat) throw new Error("no heartbeat yet")
    const bodyOf = (grant: Uint8Array) =>
      JSON.parse(Buffer.from(JSON.parse(Buffer.from(grant).toString()).payload, "base64").toString())
    const spoilt = (
      change: (envelope: { payload: string; signatures: { keyid: string }[] }) => void,
      by = owner,
    ) => {
      const envelope = JSON.parse(Buffer.from(rig.grant(owner, {}, by)).toString())
      change(envelope)
      return Buffer.from(JSON.stringify(envelope))
    }
    const altered = spoilt((envelope) => {
      const body = { ...bodyOf(rig.grant(owner)), receiver: stranger.hex }
      envelope.payload = Buffer.from(JSON.stringify(body)).toString("base64")
    })
    const borrowed = spoilt((envelope) => {
      for (const signature of envelope.signatures) signature.keyid = owner.id
    }, stranger)
    const own = rig.broker.published.find(({ topic }) => topic.endsWith("/beat"))?.payload ?? Buffer.alloc(0)
    const said = (over: object, kind: "grant" | "renewal" = "grant") =>
      sign(kind, { ...bodyOf(rig.grant(owner)), ...over }, owner)
    const wrong: readonly [string, Uint8Array, SigningKey][] = [
      ["signed by a stranger", rig.grant(owner, {}, stranger), owner],
      ["signed by a stranger in the owner's name", borrowed, owner],
      ["altered for another receiver", altered, stranger],
      ["signed as a renewal", said({}, "renewal"), owner],
      ["the camera's own heartbeat", own, owner],
      ["brought by somebody else", rig.grant(stranger), owner],
      ["for another camera", rig.grant(owner, { device: "ab".repeat(20) }), owner],
      ["of another boot", rig.grant(owner, { beat: { ...beat, boot: "cd".repeat(16) } }), owner],
      [
        "over a nonce of no heartbeat",
        rig.grant(owner, { beat: { ...beat, nonce: "ef".repeat(16) } }),
        owner,
      ],
      [
        "over a heartbeat still to come",
        rig.grant(owner, { beat: { ...beat, number: beat.number + 1 } }),
        owner,
      ],
      ["without a reason", said({ reason: " \t" }), owner],
      ["for longer than ten minutes", said({ seconds: 601 }), owner],
      ["for another purpose", said({ purpose: "support" }), owner],
    ]
    for (const [what, grant, by] of wrong) {
      const looker = await rig.ask(by, grant)
      await rig.later(300)
      const isRefused = looker.answer !== "live" && looker.reason !== null && looker.pictures.length === 0
      tries.holds(isRefused, `a grant ${what}: ${looker.reason ?? looker.answer ?? "no answer"}`)
    }
    tries.is([rig.count("live view"), rig.visitor.seesLight], [0, false], "looks, and light, after all that")
    tries.is((await rig.looks()).answer, "live", "the owner's own grant, answered")
    await rig.stop()
    return tries
  },

  "grant-ends": async () => {
    const tries = new Tries()
    const rig = await LiveRig.start(time)
    const { owner } = rig
    const grant = rig.grant(owner, { seconds: 20 })
    const looker = await rig.ask(owner, grant)
    await rig.say("view", looker.look.ask)
    tries.is(rig.answerTo(looker.look.ask)?.reason, "replayed", "the same ask again, answered")
    // As a cloud could: the same statement, with another hash.
    const { payloadType, ...rest } = JSON.parse(Buffer.from(looker.look.ask).toString())
    await rig.say("view", Buffer.from(JSON.stringify({ ...rest, payloadType })))
    await rig.later(300)
    tries.is(rig.count("live view"), 1, "looks that began, after the same ask spelt otherwise")
    await rig.later(24_000)
    const seen = looker.pictures.length
    tries.holds(seen > 100, "nothing was seen while the grant was good")
    await rig.later(3_000)
    tries.is([looker.since(seen), rig.visitor.seesLight], [0, false], "pictures, and light, after its end")
    tries.is((await rig.ask(owner, grant)).reason, "expired", "the grant after its end, answered")
    const old = rig.beats.quote
    await rig.stop()
    // Ten minutes after a heartbeat it is quoted no more: without pictures in between, for they cost.
    if (old) tries.holds(await forgetsOldBeats(), "a heartbeat of more than ten minutes ago still counts")
    return tries
  },

  "reboot-ends-grants": async () => {
    const tries = new Tries()
    const rig = await LiveRig.start(time)
    for (let boots = 0; boots < 3; boots++) {
      const grant = rig.grant(rig.owner)
      tries.is((await rig.ask(rig.owner, grant)).answer, "live", "a grant of this boot, answered")
      await rig.stop()
      rig.boot()
      await rig.later(1_500)
      tries.is(
        (await rig.ask(rig.owner, grant)).reason,
        "another boot",
        "a grant of the boot before, answered",
      )
    }
    await rig.stop()
    return tries
  },

  "no-wall-clock": async () => {
    const tries = new Tries()
    let read = 0
    const real = () => ({ at: Date.UTC([2099, 1970, 2040][read++ % 3] ?? 2026), uncertainty: 0 })
    const rig = await LiveRig.start(time, { ...virtualClock(), real })
    const grant = rig.grant(rig.owner, { seconds: 20 })
    await rig.later(15_000)
    tries.is((await rig.ask(rig.owner, grant)).answer, "live", "a grant of 20 s after 15, answered")
    await rig.later(8_000)
    tries.is(rig.visitor.seesLight, false, "light after 23 s")
    tries.is((await rig.ask(rig.owner, grant)).reason, "expired", "a grant of 20 s after 23, answered")
    await rig.stop()
    return tries
  },

  "reasons-are-fresh": async () => {
    const tries = new Tries()
    const rig = await LiveRig.start(time)
    const helper = newKey()
    const ask = async (reason: string, by = helper) => {
      const { answer } = await rig.ask(by, rig.grant(by, { reason }))
      return answer === "live" ? answer : (answer?.reason ?? "no answer")
    }
    tries.is(await ask("the gate"), "live", "a helper's first reason")
    for (const again of ["the gate", "The gate ", "THE GATE"])
      tries.holds((await ask(again)) !== "live", `the same reason was taken again: ${again}`)
    tries.is(await ask("the gate, second visit"), "live", "a helper's second reason")
    for (let looks = 0; looks < 2; looks++)
      tries.is(await ask("I look", rig.owner), "live", "the owner's own look")
    await rig.stop()
    return tries
  },
} satisfies Readonly<Record<string, Run>>

async function forgetsOldBeats(): Promise<boolean> {
  const { OwnBeats } = await import("../../../firmware/control/own-beats.ts")
  let now = 0
  const beats = new OwnBeats(
    { boot: "ab".repeat(16), markKey: "cd".repeat(32) },
    { ...virtualClock(), monotonic: () => now },
  )
  const first = beats.next()
  now = 601_000
  beats.next()
  return !beats.timeOf(first).ok
}
