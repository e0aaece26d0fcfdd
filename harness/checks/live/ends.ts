import { noFaults } from "../../../simulator/faults.ts"
import { renewalOf, revocationOf } from "../../owner/grants.ts"
import { time } from "../../virtual/install.ts"
import { type Run, Tries } from "../check.ts"
import { LiveRig, newKey } from "../worlds/live-rig.ts"

/** How a look ends, and what burns and is noted while it goes on. */
export const checks = {
  "renewal-needed": async () => {
    const tries = new Tries()
    const rig = await LiveRig.start(time)
    const viewer = newKey()
    const grant = rig.grant(viewer)
    const looker = await rig.ask(viewer, grant)
    // The owner renews for 15 s and then takes it back; a cloud withholds that, and hands out what it has saved up.
    const saved: Uint8Array[] = []
    for (let second = 0; second < 15; second++) {
      await rig.later(1_000)
      if (rig.beats.quote) saved.push(renewalOf(grant, rig.camera.id, rig.beats.quote, rig.owner))
    }
    let seen = 0
    for (let second = 0; second < 45; second++) {
      const next = saved.shift()
      if (next) await rig.say("command", next)
      if (second === 5) tries.holds(looker.pictures.length > 200, "nothing was seen while it was renewed")
      if (second === 31) seen = looker.pictures.length
      await rig.later(1_000)
    }
    tries.is(
      [looker.since(seen), rig.visitor.seesLight],
      [0, false],
      "pictures, and light, 31 s after the last renewal",
    )
    const late = await rig.ask(newKey(), rig.grant(newKey()))
    tries.holds(late.answer !== "live", "somebody else's grant")
    await rig.stop()
    return tries
  },

  "revoked-in-two-seconds": async () => {
    const tries = new Tries()
    const rig = await LiveRig.start(time)
    const viewer = newKey()
    const grant = rig.grant(viewer)
    const looker = await rig.ask(viewer, grant)
    const other = await rig.looks()
    await rig.later(1_500)
    tries.holds(looker.pictures.length > 10, "nothing was seen before")
    for (const by of [viewer, newKey()]) await rig.order(revocationOf(grant, rig.camera.id, by))
    const before = looker.pictures.length
    await rig.later(2_500)
    tries.holds(looker.since(before) > 0, "a stranger's revocation ended the look")
    await rig.say("command", revocationOf(grant, rig.camera.id, rig.owner))
    await rig.later(2_000)
    const seen = looker.pictures.length
    await rig.later(2_000)
    tries.is(looker.since(seen), 0, "pictures later than two seconds after")
    tries.is((await rig.ask(viewer, grant)).reason, "revoked", "the grant that was taken back, answered")
    tries.holds(
      (other.pictures.at(-1)?.unit.at ?? 0) > performance.now() - 1_500,
      "whoever else looked was cut off",
    )
    const early = rig.grant(viewer, { reason: "later" })
    await rig.order(revocationOf(null, rig.camera.id, rig.owner))
    tries.is(rig.visitor.seesLight, false, "light after all grants were taken back")
    tries.is(
      (await rig.ask(viewer, early)).reason,
      "expired",
      "a grant from before all were taken back, answered",
    )
    await rig.stop()
    return tries
  },

  "light-and-chain-first": async () => {
    const tries = new Tries()
    const rig = await LiveRig.start(time)
    const writes = rig.board.pins.record(() => 0)
    const { onPublish } = rig.broker
    let first = true
    rig.broker.onPublish = (topic, payload) => {
      if (topic.includes("/live/") && payload[0] === 1 && first) {
        first = false
        const lit = writes.some(({ pin, value }) => pin === rig.config.pins.light && value === 1)
        tries.holds(lit, "a picture left in the dark")
        tries.holds(rig.disk.count("manifest.") > 0, "a picture left before the chain said so")
      }
      onPublish(topic, payload)
    }
    const looker = await rig.looks()
    await rig.later(2_000)
    tries.holds(looker.pictures.length > 10, "nothing was seen")
    looker.report(looker.pictures.length, true)
    await rig.later(500)
    tries.is(rig.visitor.seesLight, false, "light after the look")
    const kinds = (await rig.chain()).map(({ kind }) => kind)
    tries.is(kinds, ["live", "live end"], "what the chain says")
    // Without room for a word, and without its light, nobody looks.
    rig.disk.faults = { ...noFaults.disk, full: true }
    tries.holds((await rig.looks()).answer !== "live", "a look without room to note it")
    rig.disk.faults = noFaults.disk
    const lost = await rig.looks()
    await rig.later(1_000)
    rig.board.pins.breakPin(rig.config.pins.light)
    await rig.later(500)
    const seen = lost.pictures.length
    await rig.later(2_000)
    tries.is(lost.since(seen), 0, "pictures after the light went out")
    tries.holds((await rig.looks()).answer !== "live", "a look in the dark")
    await rig.stop()
    return tries
  },
} satisfies Readonly<Record<string, Run>>
