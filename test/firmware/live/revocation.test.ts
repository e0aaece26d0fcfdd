import { afterEach, expect, vi } from "vitest"
import { renewalOf, revocationOf } from "../../../harness/owner/grants.ts"
import { promise } from "./promise.ts"

afterEach(() => {
  vi.useRealTimers()
})

const VIEW = "firmware/live/live-view.ts"
const GRANT = "firmware/control/grant.ts"

promise(
  "a viewer without the owner's renewals sees nothing 30 s after the heartbeat of the last one",
  async ({ LiveRig, newKey }) => {
    const rig = await LiveRig.start()
    const looker = await rig.looks(newKey())
    await rig.later(27_000)
    const seen = looker.pictures.length
    expect(seen).toBeGreaterThan(300)
    await rig.later(3_000)
    const last = looker.pictures.length
    await rig.later(30_000)
    expect(looker.since(last)).toBe(0)
    expect(rig.visitor.seesLight).toBe(false)
    expect((await rig.chain()).at(-1)).toMatchObject({ kind: "live end", cause: "not renewed" })
    // The owner needs none.
    const own = await rig.looks()
    await rig.later(60_000)
    expect(own.pictures.length).toBeGreaterThan(800)
    await rig.stop()
  },
  {
    "takes everybody for the owner": {
      path: GRANT,
      from: "isOwner: receiver.id === parts.owner.id",
      to: "isOwner: true",
    },
  },
)

promise(
  "renewed over each heartbeat, a viewer goes on; the camera beats often enough for that",
  async ({ LiveRig, newKey }) => {
    const rig = await LiveRig.start()
    const viewer = newKey()
    const grant = rig.grant(viewer)
    const looker = await rig.ask(viewer, grant)
    for (let second = 0; second < 90; second++) {
      await rig.later(1_000)
      const beat = rig.beats.quote
      if (beat && second % 8 === 0) await rig.say("command", renewalOf(grant, rig.camera.id, beat, rig.owner))
    }
    const seen = looker.pictures.length
    await rig.later(2_000)
    expect(looker.since(seen)).toBeGreaterThan(20)
    await rig.stop()
  },
  {
    "does not beat for it": {
      path: "firmware/control/heartbeat.ts",
      from: "live.wantsRenewal ? Math.min(wait, RENEWAL_BEAT_EVERY) : wait",
      to: "wait + RENEWAL_BEAT_EVERY",
    },
    "hears no renewals": { path: VIEW, from: "session.renew(beat.at)", to: "void session" },
  },
)

promise(
  "a grant that its owner keeps renewing may be used late; one that nobody renews is good for 30 s",
  async ({ LiveRig, newKey }) => {
    const rig = await LiveRig.start()
    const [kept, left] = [newKey(), newKey()]
    const [keptGrant, leftGrant] = [rig.grant(kept), rig.grant(left)]
    for (let second = 0; second < 120; second++) {
      const beat = rig.beats.quote
      if (beat && second % 8 === 0)
        await rig.say("command", renewalOf(keptGrant, rig.camera.id, beat, rig.owner))
      await rig.later(1_000)
    }
    expect((await rig.ask(left, leftGrant)).reason).toBe("not renewed")
    expect((await rig.ask(kept, keptGrant)).answer).toBe("live")
    await rig.stop()
  },
  {
    "lets anybody come late": {
      path: VIEW,
      from: "!granted.isOwner && clock.monotonic() >= renewBy",
      to: "false",
    },
    "forgets renewals": {
      path: "firmware/live/memory.ts",
      from: "this.#renewed.set(grant, Math.max(at, before))",
      to: "void before",
    },
  },
)

promise(
  "renewals that a cloud has saved up buy a viewer nothing: 30 s after the owner's last one it is over",
  async ({ LiveRig, newKey }) => {
    const rig = await LiveRig.start()
    const viewer = newKey()
    const grant = rig.grant(viewer)
    const looker = await rig.ask(viewer, grant)
    const saved: Uint8Array[] = []
    // The owner renews for 25 s and then takes the grant back, which the cloud withholds.
    for (let second = 0; second < 25; second++) {
      await rig.later(1_000)
      if (rig.beats.quote) saved.push(renewalOf(grant, rig.camera.id, rig.beats.quote, rig.owner))
    }
    let seen = 0
    for (let second = 0; second < 60; second++) {
      const [next] = saved.splice(0, 1)
      if (next) await rig.say("command", next)
      if (second === 31) seen = looker.pictures.length
      await rig.later(1_000)
    }
    expect(looker.since(seen)).toBe(0)
    expect(rig.visitor.seesLight).toBe(false)
    await rig.stop()
  },
)

promise(
  "a grant that was taken back ends the look within two seconds, and begins no other",
  async ({ LiveRig, newKey }) => {
    const rig = await LiveRig.start()
    const viewer = newKey()
    const grant = rig.grant(viewer)
    const looker = await rig.ask(viewer, grant)
    const other = await rig.looks()
    await rig.later(2_000)
    const revocation = revocationOf(grant, rig.camera.id, rig.owner)
    await rig.say("command", revocation)
    const seen = looker.pictures.length
    await rig.later(2_000)
    expect(looker.since(seen)).toBe(0)
    expect(rig.answerTo(revocation)).toEqual({ result: "done", reason: "revoked; 1 views ended" })
    expect(looker.ended).toBe("revoked")
    expect((await rig.ask(viewer, grant)).reason).toBe("revoked")
    const ends = (await rig.chain()).filter(({ kind }) => kind === "live end")
    expect(ends).toMatchObject([{ cause: "revoked" }])
    // Whoever else looks goes on.
    expect(other.pictures.at(-1)?.unit.at).toBeGreaterThan(performance.now() - 1_500)
    await rig.stop()
  },
  {
    "does not tell the viewer": {
      path: VIEW,
      from: "if (TOLD.has(cause))",
      to: "if (cause === null)",
    },
  },
)

promise(
  "all grants taken back: every look ends, and no grant from before begins another",
  async ({ LiveRig, newKey }) => {
    const rig = await LiveRig.start()
    const [viewer, waiting] = [newKey(), newKey()]
    const early = rig.grant(waiting)
    await rig.looks(viewer)
    await rig.looks()
    expect(await rig.order(revocationOf(null, rig.camera.id, rig.owner))).toEqual({
      result: "done",
      reason: "revoked; 2 views ended",
    })
    expect(rig.visitor.seesLight).toBe(false)
    expect((await rig.ask(waiting, early)).reason).toBe("expired")
    await rig.later(31_000)
    expect((await rig.looks(waiting)).answer).toBe("live")
    await rig.stop()
  },
  {
    "remembers the heartbeats": {
      path: VIEW,
      from: "if (grant === null || !this.#remember().revoke(grant)) beats.forget()",
      to: "if (grant !== null) this.#remember().revoke(grant)",
    },
  },
)

promise(
  "renewals and revocations of anybody but the owner, or for another camera, are refused",
  async ({ LiveRig, newKey }) => {
    const rig = await LiveRig.start()
    const viewer = newKey()
    const grant = rig.grant(viewer)
    await rig.ask(viewer, grant)
    const beat = rig.beats.quote ?? raise()
    for (const [order, reason] of [
      [renewalOf(grant, rig.camera.id, beat, viewer), "renewal: signed by another key"],
      [revocationOf(grant, rig.camera.id, viewer), "revocation: signed by another key"],
      [renewalOf(grant, "ab".repeat(20), beat, rig.owner), "meant for another camera"],
      [revocationOf(grant, "ab".repeat(20), rig.owner), "meant for another camera"],
      [renewalOf(grant, rig.camera.id, { ...beat, nonce: "00".repeat(16) }, rig.owner), "unknown heartbeat"],
    ] as const)
      expect(await rig.order(order)).toEqual({ result: "refused", reason })
    expect(rig.visitor.seesLight).toBe(true)
    await rig.stop()
  },
  {
    "obeys the viewer": {
      path: "firmware/control/dsse.ts",
      from: "if (keyid !== key.id)",
      to: 'if (kind === "manifest" && keyid !== key.id)',
    },
  },
)

function raise(): never {
  throw new Error("not there")
}
