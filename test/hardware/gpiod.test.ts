import { describe, expect, onTestFinished, test } from "vitest"
import { parseConfig } from "../../firmware/config.ts"
import { wirePins } from "../../firmware/pins/pins.ts"
import type { Clock } from "../../firmware/ports.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import { processClock } from "../../hardware/clock.ts"
import type * as Gpiod from "../../hardware/gpiod/gpiod-io.ts"
import { openGpiod } from "../../hardware/gpiod/gpiod-io.ts"
import { type Mistake, mutant } from "../mutants.ts"
import { gpiodRig, hurriedClock, isRunning, type Rig } from "./gpiod-rig.ts"

const LIGHT = 22
const BELL = 27
const MOTION = 17

/** The version on which the checks are shown to fail on mutants: what is mistaken is the same code for both. */
const MISTAKEN = 2

type Open = typeof openGpiod

/** What is doubted after ten seconds is doubted after a tenth of one. */
const readsAgainSoon: Clock = {
  ...processClock(),
  sleep: (duration, signal) => processClock().sleep(duration === 10_000 ? 100 : duration, signal),
}

async function mistaken(mistake: Mistake): Promise<Open> {
  const { openGpiod } = await mutant<typeof Gpiod>("hardware/gpiod/gpiod-io.ts", mistake)
  return openGpiod
}

/** The level on the light's wire at the moment when `driven` says that it is lit. */
async function levelWhenDriven(rig: Rig, open: Open): Promise<number> {
  const io = await rig.open({}, open)
  const goOn = rig.kernel.hang(LIGHT)
  io.digitalWrite(LIGHT, 1)
  const driven = io.driven(LIGHT).then(() => rig.kernel.level(LIGHT))
  await rig.kernel.until(() => rig.kernel.isAsked(LIGHT))
  goOn()
  return driven
}

/** The level that is left on the light's wire when a lit camera was closed. */
async function levelAfterClose(rig: Rig, open: Open): Promise<number> {
  const io = await rig.open({}, open)
  io.digitalWrite(LIGHT, 1)
  await io.driven(LIGHT)
  await io.close()
  return rig.kernel.level(LIGHT)
}

/** Is it said that a lit light's gpioset has died, by the time that the next one has it? */
async function saysUndriven(rig: Rig, open: Open): Promise<boolean> {
  const io = await rig.open({}, open)
  io.digitalWrite(LIGHT, 1)
  await io.driven(LIGHT)
  let said = false
  io.on("undriven", () => {
    said = true
  })
  const goOn = rig.kernel.hang(LIGHT)
  process.kill(rig.kernel.holder(LIGHT)?.pid ?? Number.NaN, "SIGKILL")
  await rig.kernel.until(() => rig.kernel.isAsked(LIGHT))
  goOn()
  await io.driven(LIGHT)
  return said
}

function restarts({ lines }: Rig): readonly string[] {
  return lines.flatMap((line) => (line.event === "helper restarted" ? [line.helper] : []))
}

describe.each([1, 2] as const)("pins by gpiod %i", (version) => {
  const newRig = () => gpiodRig(version, onTestFinished)

  test("an output counts as driven when the kernel has it, and not before", async () => {
    expect(await levelWhenDriven(await newRig(), openGpiod)).toBe(1)
    if (version !== MISTAKEN) return
    const early = await mistaken({
      path: "hardware/gpiod/held-lines.ts",
      from: "chip.version === 2 ? banner.promise :",
      to: "tool ? Promise.resolve() :",
    })
    expect(await levelWhenDriven(await newRig(), early)).toBe(0)
  })

  test("close puts outputs low before it lets go of them, though the chip keeps what it drove", async () => {
    expect(await levelAfterClose(await newRig(), openGpiod)).toBe(0)
    if (version !== MISTAKEN) return
    const leftOn = await mistaken({
      path: "hardware/gpiod/output.ts",
      from: "    this.write(0)\n    this.#closing = true",
      to: "    this.#closing = true",
    })
    expect(await levelAfterClose(await newRig(), leftOn)).toBe(1)
  })

  test("while the light's gpioset is dead the light is not driven; it is started again, and the log says so", async () => {
    const rig = await newRig()
    const { kernel } = rig
    const io = await rig.open()
    io.digitalWrite(LIGHT, 1)
    await io.driven(LIGHT)
    const goOn = kernel.hang(LIGHT)
    process.kill(kernel.holder(LIGHT)?.pid ?? Number.NaN, "SIGKILL")
    await kernel.until(() => kernel.isAsked(LIGHT))
    let driven = false
    const waiting = io.driven(LIGHT).then(() => {
      driven = kernel.holder(LIGHT) !== null && kernel.level(LIGHT) === 1
    })
    expect(restarts(rig)).toEqual([`gpioset ${LIGHT}`])
    goOn()
    await waiting
    expect(driven).toBe(true)
  })

  test("who holds the light is told that its gpioset has died", async () => {
    expect(await saysUndriven(await newRig(), openGpiod)).toBe(true)
    if (version !== MISTAKEN) return
    const silent = await mistaken({
      ...{ path: "hardware/gpiod/output.ts", from: "      this.#onLost()\n", to: "" },
    })
    expect(await saysUndriven(await newRig(), silent)).toBe(false)
  })

  test("an output whose gpioset never gets its line is not driven: Fault unavailable", async () => {
    const rig = await newRig()
    const clock = hurriedClock()
    const io = await rig.open({ clock })
    onTestFinished(rig.kernel.hang(LIGHT))
    clock.hurry = 10
    io.digitalWrite(LIGHT, 1)
    await expect(io.driven(LIGHT)).rejects.toMatchObject({ name: "Fault", kind: "unavailable" })
  })

  test("writing the level that is there already leaves the gpioset alone", async () => {
    const rig = await newRig()
    const io = await rig.open()
    io.digitalWrite(LIGHT, 1)
    await io.driven(LIGHT)
    const before = rig.kernel.holder(LIGHT)?.pid
    io.digitalWrite(LIGHT, 1)
    await io.driven(LIGHT)
    expect(rig.kernel.holder(LIGHT)?.pid).toBe(before)
    expect(rig.kernel.shown.get(LIGHT)).toEqual([0, 1])
  })

  test("a pattern blinks by itself, high first, until the next write", async () => {
    const rig = await newRig()
    const io = await rig.open()
    io.pattern(LIGHT, [60, 50])
    await rig.kernel.until(() => (rig.kernel.shown.get(LIGHT)?.length ?? 0) >= 5)
    io.digitalWrite(LIGHT, 1)
    await io.driven(LIGHT)
    const shown = rig.kernel.shown.get(LIGHT) ?? []
    expect(shown.slice(0, 5)).toEqual([0, 1, 0, 1, 0])
    expect(shown.at(-1)).toBe(1)
  })

  test("a gpiomon that dies is started again; what changed meanwhile is told as an edge", async () => {
    const rig = await newRig()
    const { kernel } = rig
    const io = await rig.open()
    const edges: number[] = []
    let wake: () => unknown = () => undefined
    io.on(`digital-read-${BELL}`, (level: number) => {
      edges.push(level)
      wake()
    })
    const next = (count: number) =>
      new Promise<void>((resolve) => {
        wake = () => edges.length >= count && resolve()
        wake()
      })
    process.kill(kernel.holder(BELL)?.pid ?? Number.NaN, "SIGKILL")
    kernel.set(BELL, 1)
    await next(1)
    await kernel.until(() => kernel.holder(BELL)?.tool === "gpiomon")
    kernel.set(BELL, 0)
    await next(2)
    expect(edges).toEqual([1, 0])
    expect(restarts(rig)).toEqual(["gpiomon"])
  })

  /** Does a motion end that ended while nobody watched, between the reading of its level and the watching of its edges? */
  async function endsUnseen(open: Open, within: Milliseconds): Promise<boolean> {
    const rig = await newRig()
    const { kernel } = rig
    kernel.set(MOTION, 1)
    const readNow = kernel.hang(MOTION)
    const opening = rig.open({ clock: readsAgainSoon }, open)
    await kernel.until(() => kernel.isAsked(MOTION))
    readNow()
    const watchNow = kernel.hang(MOTION)
    await kernel.until(() => !kernel.isAsked(MOTION))
    await kernel.until(() => kernel.isAsked(MOTION))
    kernel.set(MOTION, 0)
    watchNow()
    const io = await opening
    const level = new Promise<number>((resolve) => io.on(`digital-read-${MOTION}`, resolve))
    const tooLong = processClock()
      .sleep(within)
      .then(() => 1)
    return (await Promise.race([level, tooLong])) === 0
  }

  test("a motion that ends unseen ends all the same, a little later; a mutant's never does", async () => {
    expect(await endsUnseen(openGpiod, 20_000)).toBe(true)
    if (version !== MISTAKEN) return
    const path = "hardware/gpiod/inputs.ts"
    const believes = await mistaken({ path, from: "if (level === 1) this.#readHigh.add(pin)", to: "" })
    expect(await endsUnseen(believes, 800)).toBe(false)
  })

  test("what is high by an edge is not read again", async () => {
    const rig = await newRig()
    await rig.open({ clock: readsAgainSoon })
    const watcher = rig.kernel.holder(MOTION)?.pid
    rig.kernel.set(MOTION, 1)
    await processClock().sleep(500)
    expect(rig.kernel.holder(MOTION)?.pid).toBe(watcher)
  })

  test("inputs and outputs are pulled down, so that a wire that came off reads and shows low", async () => {
    const rig = await newRig()
    await rig.open()
    expect([MOTION, BELL, LIGHT].map((pin) => rig.kernel.bias(pin))).toEqual(
      Array.from({ length: 3 }, () => "pull-down"),
    )
  })

  test("johnny-five's switch, button and light work on it as firmware wires them", async () => {
    const rig = await newRig()
    const { kernel } = rig
    const io = await rig.open()
    const { clock, log } = rig.options
    const pins = await wirePins({ pins: io, clock, log }, parseConfig())
    onTestFinished(() => pins.close())
    const end = new AbortController()
    onTestFinished(() => end.abort())
    const letGo = await pins.light.hold("test")
    expect(kernel.level(LIGHT)).toBe(1)
    const events = pins.events(end.signal)[Symbol.asyncIterator]()
    kernel.set(MOTION, 1)
    expect((await events.next()).value).toMatchObject({ trigger: { kind: "motion" } })
    const press = pins.nextPress(end.signal)
    kernel.set(BELL, 1)
    expect(await press).toEqual(expect.any(Number))
    kernel.set(BELL, 0)
    letGo()
    await io.driven(LIGHT)
    expect(kernel.level(LIGHT)).toBe(0)
  })

  test("a tool that hears no signal is killed: nothing is left after close", async () => {
    const rig = await newRig()
    const env = { ...rig.kernel.toolsEnv, GPIOD_DEAF_TO: "SIGINT,SIGTERM" }
    const clock = hurriedClock()
    const io = await rig.open({ env, clock })
    const tools = rig.kernel.holders
    expect(tools).toHaveLength(2)
    clock.hurry = 20
    await io.close()
    expect(tools.filter(isRunning)).toEqual([])
  })
})
