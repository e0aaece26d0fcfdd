import { afterEach, expect, vi } from "vitest"
import { LIGHT_CODES } from "../../../firmware/pins/status-light.ts"
import { privacyOff, privacyOn } from "../../../harness/owner/grants.ts"
import { noFaults } from "../../../simulator/faults.ts"
import { promise } from "./promise.ts"
import type { LiveRig } from "./rig.ts"

afterEach(() => {
  vi.useRealTimers()
})

const PRIVACY = "firmware/control/privacy.ts"
const SHUTTER = 18
const STATUS = 23

const on = (rig: LiveRig) => privacyOn(rig.camera.id, rig.beats.quote ?? raise(), rig.owner)
const off = (rig: LiveRig, press = rig.beats.newest?.privacy?.press) =>
  privacyOff(rig.camera.id, press ?? "00".repeat(16), rig.owner)

async function presses(rig: LiveRig): Promise<void> {
  void rig.visitor.pressesBell()
  await rig.later(300)
}

/** It takes no picture, whatever happens before it. */
async function rests(rig: LiveRig): Promise<void> {
  const groups = rig.board.lens.groups
  const [clips, motions, lights] = [rig.count("clip opened"), rig.count("motion"), rig.count("light")]
  rig.visitor.moves(true)
  await presses(rig)
  await rig.later(3_000)
  rig.visitor.moves(false)
  expect((await rig.looks()).reason).toBe("privacy mode")
  await rig.later(2_000)
  expect(rig.board.lens.groups).toBe(groups)
  expect([rig.count("clip opened"), rig.count("motion"), rig.count("light")]).toEqual([
    clips,
    motions,
    lights,
  ])
  expect(rig.visitor.seesLight).toBe(false)
  expect(rig.beats.newest?.privacy).not.toBeNull()
  expect(rig.board.pins.patternOf(STATUS)).toBe(LIGHT_CODES.privacy)
}

async function looksAgain(rig: LiveRig): Promise<void> {
  const groups = rig.board.lens.groups
  await rig.later(2_500)
  expect(rig.board.lens.groups).toBeGreaterThan(groups)
  expect(rig.beats.newest?.privacy).toBeNull()
  expect((await rig.looks()).answer).toBe("live")
}

promise(
  "the owner's signature, from anywhere, makes a camera blind: lens, shutter, views, clips and bell, and its light says so",
  async ({ LiveRig }) => {
    const rig = await LiveRig.start()
    const looker = await rig.looks()
    rig.visitor.moves(true)
    await rig.later(2_000)
    const open = rig.board.pins.level(SHUTTER)
    expect(await rig.order(on(rig))).toEqual({ result: "done", reason: "privacy mode" })
    const seen = looker.messages.length
    // What was being recorded is closed properly.
    expect(rig.count("clip recorded")).toBe(1)
    expect(rig.lines.find(({ event }) => event === "live view ended")).toMatchObject({
      cause: "privacy mode",
    })
    expect(rig.board.pins.level(SHUTTER)).not.toBe(open)
    rig.visitor.moves(false)
    await rests(rig)
    expect(looker.messages.length).toBe(seen)
    await rig.stop()
  },
  {
    "leaves its shutter open": { path: PRIVACY, from: "await pins.rest(true)", to: "" },
    "hears the bell": { path: "firmware/pins/pins.ts", from: "if (!rests) {", to: "if (rests || !rests) {" },
    "shows another light": {
      path: "firmware/pins/camera-state.ts",
      from: 'if (this.#is.has("privacy")) return "privacy"',
      to: "",
    },
    "does not say so in its heartbeat": {
      path: PRIVACY,
      from: "if (!this.#on) return null",
      to: "return null",
    },
  },
)

promise(
  "privacy mode outlives restarts and power cuts: the lens does not start, and the shutter does not open for a moment",
  async ({ LiveRig }) => {
    const rig = await LiveRig.start()
    await rig.order(on(rig))
    const shut = rig.board.pins.level(SHUTTER)
    await rig.stop()
    const writes = rig.board.pins.record(() => performance.now())
    rig.boot()
    await rig.later(2_000)
    expect(writes.filter(({ pin, value }) => pin === SHUTTER && value !== shut)).toEqual([])
    await rests(rig)
    await rig.cutPower()
    await rests(rig)
    await rig.stop()
  },
  {
    "forgets it": {
      path: PRIVACY,
      from: "this.#on = await isPrivate(this.#parts.disk)",
      to: "this.#on = false",
    },
  },
)

promise(
  "it is left by the owner's signature over what the camera gives when its button is pressed, and by nothing else",
  async ({ LiveRig, newKey }) => {
    const rig = await LiveRig.start()
    await rig.order(on(rig))
    const press = "press the camera's button first: only there is privacy mode left"
    // Nobody has pressed.
    expect(await rig.order(off(rig))).toEqual({ result: "refused", reason: press })
    // Somebody presses, without the owner.
    await presses(rig)
    const given = rig.beats.newest?.privacy?.press ?? ""
    expect(given).toMatch(/^[0-9a-f]{32}$/)
    for (const [order, reason] of [
      [privacyOff(rig.camera.id, given, newKey()), "privacy: signed by another key"],
      [privacyOff("ab".repeat(20), given, rig.owner), "meant for another camera"],
      [off(rig, "cd".repeat(16)), press],
    ] as const)
      expect(await rig.order(order)).toEqual({ result: "refused", reason })
    await rests(rig)
    // The owner was slow.
    const late = off(rig)
    await rig.later(125_000)
    expect(await rig.order(late)).toEqual({ result: "refused", reason: press })
    await presses(rig)
    expect(await rig.order(off(rig))).toEqual({ result: "done", reason: "it looks again" })
    await looksAgain(rig)
    await rig.stop()
    rig.boot()
    await rig.later(1_500)
    await looksAgain(rig)
    await rig.stop()
  },
  {
    "waits for the owner for ever": {
      path: PRIVACY,
      from: "clock.monotonic() >= this.#press.until ||",
      to: "",
    },
    "stays blind": { path: PRIVACY, from: "await disk.private.remove(NAME)", to: "" },
    "obeys anybody": {
      path: "firmware/control/dsse.ts",
      from: "if (keyid !== key.id)",
      to: 'if (kind === "manifest" && keyid !== key.id)',
    },
  },
)

promise(
  "what the owner once signed to enter or leave is good once: a cloud that kept it chooses nothing",
  async ({ LiveRig }) => {
    const rig = await LiveRig.start()
    const entered = on(rig)
    await rig.order(entered)
    await presses(rig)
    const left = off(rig)
    await rig.order(left)
    await looksAgain(rig)
    expect(await rig.order(entered)).toEqual({ result: "refused", reason: "expired" })
    await rig.order(on(rig))
    expect(await rig.order(left)).toMatchObject({ result: "refused" })
    await presses(rig)
    expect(await rig.order(left)).toMatchObject({ result: "refused" })
    await rests(rig)
    await rig.stop()
    // Nor is what was signed before a restart.
    rig.boot()
    await rig.later(1_500)
    await presses(rig)
    expect(await rig.order(left)).toMatchObject({ result: "refused" })
    expect(await rig.order(entered)).toEqual({ result: "refused", reason: "another boot" })
    await rig.stop()
  },
  {
    "gives the same nonce again": {
      path: PRIVACY,
      from: 'nonce: randomBytes(16).toString("hex")',
      to: 'nonce: "11".repeat(16)',
    },
  },
)

promise(
  "a camera that cannot keep it does not say that it is in privacy mode",
  async ({ LiveRig }) => {
    const rig = await LiveRig.start()
    rig.disk.faults = { ...noFaults.disk, full: true }
    expect(await rig.order(on(rig))).toMatchObject({ result: "refused" })
    rig.disk.faults = noFaults.disk
    await looksAgain(rig)
    await rig.stop()
  },
  {
    "says it first": {
      path: PRIVACY,
      from: "await disk.private.put(NAME, [toJson({ version: 1, on: true })])",
      to: "await disk.private.put(NAME, [toJson({ version: 1, on: true })]).catch(() => undefined)",
    },
  },
)

promise(
  "a cloud that says again and again what the owner said once wears out no disk and makes it beat no faster",
  async ({ LiveRig }) => {
    const rig = await LiveRig.start()
    const entered = on(rig)
    await rig.order(entered)
    const put = vi.spyOn(rig.disk.private, "put")
    const beats = rig.beats.newest?.number ?? 0
    for (let n = 0; n < 10; n++)
      expect(await rig.order(entered)).toEqual({ result: "done", reason: "privacy mode" })
    expect(put).not.toHaveBeenCalled()
    expect(rig.beats.newest?.number ?? 0).toBeLessThan(beats + 5)
    await rig.stop()
  },
  {
    "enters each time": {
      path: PRIVACY,
      from: 'if (this.#on) return { ok: true, reason: "privacy mode" }',
      to: "",
    },
  },
)

promise("what was before the lens before privacy mode is shown to nobody after it", async ({ LiveRig }) => {
  const rig = await LiveRig.start()
  await rig.later(2_000)
  await rig.order(on(rig))
  const blindSince = performance.now()
  await presses(rig)
  await rig.order(off(rig))
  const looker = await rig.looks()
  await rig.later(3_000)
  expect(looker.pictures.length).toBeGreaterThan(20)
  expect(Math.min(...looker.pictures.map(({ unit }) => unit.at))).toBeGreaterThan(blindSince)
  await rig.stop()
})

function raise(): never {
  throw new Error("not there")
}
