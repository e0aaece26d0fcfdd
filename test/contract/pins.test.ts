import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { parseConfig } from "../../firmware/config.ts"
import type { PinsIo } from "../../firmware/ports.ts"
import { processClock } from "../../hardware/clock.ts"
import { openGpiod } from "../../hardware/gpiod/gpiod-io.ts"
import { VirtualIo } from "../../simulator/virtual-io.ts"
import { startKernel } from "../hardware/gpiod-kernel.ts"

/** An IO plugin with a hand on the other end of its wires. */
interface PinsUnderTest {
  readonly io: PinsIo & JohnnyFivePlugin
  readonly input: number
  readonly output: number
  /** Puts a level on the input's wire. */
  set(value: 0 | 1): void
  /** What is on the output's wire. */
  level(): number
  /** Makes the output impossible to drive. */
  breakOutput(): Promise<void> | void
  /** Ends what drives it now, if that is a process. */
  end(): void
}

/** What johnny-five calls of a plugin, as far as its Switch, Button and Led do. */
interface JohnnyFivePlugin {
  readonly MODES: { readonly INPUT: number; readonly OUTPUT: number }
  readonly pins: readonly { readonly supportedModes: readonly number[] }[]
  pinMode(pin: number, mode: number): void
  digitalWrite(pin: number, value: number): void
  digitalRead(pin: number, listener: (value: number) => void): void
}

/** Makes one whose input is at a level already. */
type Make = (atBoot: 0 | 1) => Promise<PinsUnderTest>

const makers: Readonly<Record<string, Make>> = {
  async virtual(atBoot) {
    const io = new VirtualIo()
    io.set(17, atBoot)
    return {
      io,
      input: 17,
      output: 22,
      set: (value) => io.set(17, value),
      level: () => io.level(22),
      breakOutput: () => io.breakPin(22),
      end: () => undefined,
    }
  },
  "gpiod 1.6": (atBoot) => gpiod(1, atBoot),
  "gpiod 2": (atBoot) => gpiod(2, atBoot),
}

async function gpiod(version: 1 | 2, atBoot: 0 | 1): Promise<PinsUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), "gpiod-"))
  const kernel = await startKernel({ folder, version })
  onTestFinished(async () => {
    await kernel.close()
    rmSync(folder, { recursive: true })
  })
  kernel.set(17, atBoot)
  const io = await openGpiod({
    pins: parseConfig().pins,
    chipLabel: "pinctrl-bcm2711",
    env: kernel.toolsEnv,
    clock: processClock(),
    log: { write: () => undefined },
  })
  return {
    io,
    input: 17,
    output: 22,
    set: (value) => kernel.set(17, value),
    level: () => kernel.level(22),
    breakOutput: () => kernel.refuse(22, "EIO"),
    end: () => void process.kill(kernel.holder(22)?.pid ?? Number.NaN, "SIGKILL"),
  }
}

describe.each(Object.entries(makers))("%s pins", (_name, make) => {
  test("says connect before ready, each once, and is ready by then", async () => {
    const { io } = await make(0)
    const said: string[] = []
    io.on("connect", () => said.push("connect"))
    const ready = new Promise<void>((resolve) =>
      io.on("ready", () => {
        said.push("ready")
        resolve()
      }),
    )
    expect(io.isReady).toBe(false)
    await ready
    expect(io.isReady).toBe(true)
    expect(said).toEqual(["connect", "ready"])
    await io.close()
  })

  test("the first reading is the level that is there, also if it is high at boot", async () => {
    const { io, input } = await readied(make, 1)
    expect(await firstReading(io, input)).toBe(1)
    await io.close()
  })

  test("edges arrive in order, none twice", async () => {
    const { io, input, set } = await readied(make)
    const heard: number[] = []
    const expected = [0, 1, 0, 1, 0]
    io.pinMode(input, io.MODES.INPUT)
    await new Promise<void>((resolve) => {
      io.digitalRead(input, (value) => {
        heard.push(value)
        if (heard.length === 1) for (const level of [1, 0, 1, 1, 0] as const) set(level)
        if (heard.length === expected.length) resolve()
      })
    })
    // What came twice would have come by then.
    await io.close()
    expect(heard).toEqual(expected)
  })

  test("an output is driven when its promise resolves", async () => {
    const { io, output, level } = await readied(make)
    io.pinMode(output, io.MODES.OUTPUT)
    for (const value of [1, 0, 1]) {
      io.digitalWrite(output, value)
      await io.driven(output)
      expect(level()).toBe(value)
    }
    await io.close()
  })

  test("of several writes the last is what is driven", async () => {
    const { io, output, level } = await readied(make)
    io.pinMode(output, io.MODES.OUTPUT)
    for (const value of [1, 0, 0, 1, 0, 1]) io.digitalWrite(output, value)
    await io.driven(output)
    expect(level()).toBe(1)
    await io.close()
  })

  test("an output that cannot be driven says so: Fault unavailable", async () => {
    const { io, output, breakOutput } = await readied(make)
    io.pinMode(output, io.MODES.OUTPUT)
    await breakOutput()
    io.digitalWrite(output, 1)
    await expect(io.driven(output)).rejects.toEqual(expect.objectContaining({ kind: "unavailable" }))
    await io.close()
  })

  test("an output that was lit and is driven no more says so, by its number", async () => {
    const { io, output, breakOutput, end } = await readied(make)
    io.pinMode(output, io.MODES.OUTPUT)
    io.digitalWrite(output, 1)
    await io.driven(output)
    const said = new Promise((resolve) => io.once("undriven", resolve))
    await breakOutput()
    end()
    expect(await said).toBe(output)
    await expect(io.driven(output)).rejects.toEqual(expect.objectContaining({ kind: "unavailable" }))
    await io.close()
  })

  test("a write is no reason to say so", async () => {
    const { io, output } = await readied(make)
    io.pinMode(output, io.MODES.OUTPUT)
    const said: number[] = []
    io.on("undriven", (pin) => said.push(pin))
    for (const value of [1, 0, 1]) {
      io.digitalWrite(output, value)
      await io.driven(output)
    }
    await io.close()
    expect(said).toEqual([])
  })

  test("after close the output is dark, and closing twice is harmless", async () => {
    const { io, output, level } = await readied(make)
    io.pinMode(output, io.MODES.OUTPUT)
    io.digitalWrite(output, 1)
    await io.driven(output)
    await io.close()
    await io.close()
    expect(level()).toBe(0)
    await expect(io.driven(output)).rejects.toEqual(expect.objectContaining({ kind: "unavailable" }))
  })
})

async function readied(make: Make, atBoot: 0 | 1 = 0): Promise<PinsUnderTest> {
  const made = await make(atBoot)
  await new Promise<void>((resolve) => made.io.once("ready", resolve))
  return made
}

function firstReading(io: JohnnyFivePlugin, pin: number): Promise<number> {
  io.pinMode(pin, io.MODES.INPUT)
  return new Promise((resolve) => io.digitalRead(pin, resolve))
}
