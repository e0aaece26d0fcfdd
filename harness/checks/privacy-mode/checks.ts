import "../../virtual/install.ts"

import { noFaults } from "../../../simulator/faults.ts"
import { privacyOff, privacyOn } from "../../owner/grants.ts"
import { time } from "../../virtual/install.ts"
import { type Run, Tries } from "../check.ts"
import { LiveRig, newKey } from "../worlds/live-rig.ts"

const SHUTTER = 18

export const checks = {
  "camera-rests": async () => {
    const tries = new Tries()
    const rig = await LiveRig.start(time)
    const looker = await rig.looks()
    rig.visitor.moves(true)
    await rig.later(2_000)
    const open = rig.board.pins.level(SHUTTER)
    for (const stranger of [newKey(), looker.look ? newKey() : newKey()])
      tries.is((await rig.order(on(rig, stranger)))?.result, "refused", "a stranger's order")
    tries.is((await rig.order(on(rig)))?.result, "done", "the owner's order")
    const seen = looker.messages.length
    tries.holds(rig.board.pins.level(SHUTTER) !== open, "the shutter stands open")
    rig.visitor.moves(false)
    await rests(tries, rig)
    tries.is(looker.messages.length, seen, "pictures that left meanwhile")
    // What was before the lens before is shown to nobody afterwards.
    const blindSince = performance.now()
    await presses(rig)
    await rig.order(off(rig))
    const again = await rig.looks()
    await rig.later(2_500)
    const oldest = Math.min(...again.pictures.map(({ unit }) => unit.at))
    tries.holds(
      again.pictures.length > 10 && oldest > blindSince - 1,
      "pictures from before are shown after it",
    )
    await rig.stop()
    return tries
  },

  "rest-outlives-power": async () => {
    const tries = new Tries()
    const rig = await LiveRig.start(time)
    rig.disk.faults = { ...noFaults.disk, full: true }
    const unkept = await rig.order(on(rig))
    tries.is(unkept?.result, "refused", "an order that the disk has no room for")
    rig.disk.faults = noFaults.disk
    await rig.order(on(rig))
    const shut = rig.board.pins.level(SHUTTER)
    await rig.stop()
    const writes = rig.board.pins.record(() => performance.now())
    rig.boot()
    await rig.later(2_000)
    const opened = writes.filter(({ pin, value }) => pin === SHUTTER && value !== shut)
    tries.is(opened.length, 0, "times that the shutter opened at a boot")
    await rests(tries, rig)
    await rig.cutPower()
    await rests(tries, rig)
    await rig.stop()
    return tries
  },

  "left-at-the-camera": async () => {
    const tries = new Tries()
    const rig = await LiveRig.start(time)
    const entered = on(rig)
    await rig.order(entered)
    tries.is(
      (await rig.order(off(rig)))?.result,
      "refused",
      "the owner's order to leave, and nobody has pressed",
    )
    await presses(rig)
    await rests(tries, rig)
    const given = rig.beats.newest?.privacy?.press ?? "00".repeat(16)
    for (const order of [
      privacyOff(rig.camera.id, given, newKey()),
      privacyOff("ab".repeat(20), given, rig.owner),
      privacyOff(rig.camera.id, "cd".repeat(16), rig.owner),
    ])
      tries.is(
        (await rig.order(order))?.result,
        "refused",
        "an order to leave that is not the owner's for this press",
      )
    const late = off(rig)
    await rig.later(125_000)
    tries.is((await rig.order(late))?.result, "refused", "the owner's order two minutes after the press")
    await presses(rig)
    const left = off(rig)
    tries.is((await rig.order(left))?.result, "done", "the owner's order after a press")
    await rig.later(2_500)
    tries.is((await rig.looks()).answer, "live", "a look after it was left")
    // A cloud that kept what the owner once signed chooses nothing.
    tries.is((await rig.order(entered))?.result, "refused", "the first order to enter, again")
    await rig.order(on(rig))
    await presses(rig)
    tries.is((await rig.order(left))?.result, "refused", "the first order to leave, again")
    await rests(tries, rig)
    await rig.stop()
    return tries
  },
} satisfies Readonly<Record<string, Run>>

function on(rig: LiveRig, by = rig.owner): Uint8Array {
  const beat = rig.beats.quote
  if (!beat) throw new Error("no heartbeat yet")
  return privacyOn(rig.camera.id, beat, by)
}

const off = (rig: LiveRig) =>
  privacyOff(rig.camera.id, rig.beats.newest?.privacy?.press ?? "00".repeat(16), rig.owner)

async function presses(rig: LiveRig): Promise<void> {
  void rig.visitor.pressesBell()
  await rig.later(300)
}

/** It takes no picture, whatever happens before it. */
async function rests(tries: Tries, rig: LiveRig): Promise<void> {
  const counts = () => [
    rig.board.lens.groups,
    rig.count("clip opened"),
    rig.count("motion"),
    rig.count("light"),
    rig.count("live view"),
  ]
  const before = counts()
  rig.visitor.moves(true)
  await presses(rig)
  await rig.later(2_500)
  rig.visitor.moves(false)
  tries.is((await rig.looks()).reason, "privacy mode", "an ask of the owner's, answered")
  await rig.later(1_000)
  tries.is(counts(), before, "groups of pictures, clips, motions, lights and looks since")
  tries.is(rig.visitor.seesLight, false, "light")
  tries.holds(rig.beats.newest?.privacy !== null, "its heartbeats do not say so")
}
