import { describe, expect, test } from "vitest"
import type { PinsIo } from "../../firmware/ports.ts"
import { VirtualIo } from "../../simulator/virtual-io.ts"

/** An IO plugin with a hand on the other end of its wires. */
interface PinsUnderTest {
  readonly io: PinsIo & JohnnyFivePlugin
  readonly input: number
  readonly output: number
  /** Puts a level on the input's wire. */
  set(value: 0 | 1): Promise<void> | void
  /** What is on the output's wire. */
  level(): Promise<number> | number
  /** Makes the output impossible to drive. */
  breakOutput(): Promise<void> | void
}

/** What johnny-five calls of a plugin, as far as its Switch, Button and Led do. */
interface JohnnyFivePlugin {
  readonly MODES: { readonly INPUT: number; readonly OUTPUT: number }
  readonly pins: readonly { readonly supportedModes: readonly number[] }[]
  pinMode(pin: number, mode: number): void
  digitalWrite(pin: number, value: number): void
  digitalRead(pin: number, listener: (value: number) => void): void
}

const makers: Readonly<Record<string, () => PinsUnderTest>> = {
  virtual() {
    const io = new VirtualIo()
    return {
      io,
      input: 17,
      output: 22,
      set: (value) => io.set(17, value),
      level: () => io.level(22),
      breakOutput: () => io.breakPin(22),
    }
  },
}

describe.each(Object.entries(makers))("%s pins", (_name, make) => {
  test("says connect before ready, each once, and is ready by then", async () => {
    const { io } = make()
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
    const { io, input, set } = await readied(make)
    await set(1)
    expect(await firstReading(io, input)).toBe(1)
    await io.close()
  })

  test("edges arrive in order, none twice", async () => {
    const { io, input, set } = await readied(make)
    const edges: number[] = []
    io.pinMode(input, io.MODES.INPUT)
    await new Promise<void>((resolve) =>
      io.digitalRead(input, (value) => {
        edges.push(value)
        if (edges.length === 1) resolve()
      }),
    )
    for (const value of [1, 0, 1, 1, 0] as const) await set(value)
    expect(edges).toEqual([0, 1, 0, 1, 0])
    await io.close()
  })

  test("an output is driven when its promise resolves", async () => {
    const { io, output, level } = await readied(make)
    io.pinMode(output, io.MODES.OUTPUT)
    for (const value of [1, 0, 1]) {
      io.digitalWrite(output, value)
      await io.driven(output)
      expect(await level()).toBe(value)
    }
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

  test("after close the output is dark, and closing twice is harmless", async () => {
    const { io, output, level } = await readied(make)
    io.pinMode(output, io.MODES.OUTPUT)
    io.digitalWrite(output, 1)
    await io.driven(output)
    await io.close()
    await io.close()
    expect(await level()).toBe(0)
    await expect(io.driven(output)).rejects.toEqual(expect.objectContaining({ kind: "unavailable" }))
  })
})

async function readied(make: () => PinsUnderTest): Promise<PinsUnderTest> {
  const made = make()
  await new Promise<void>((resolve) => made.io.once("ready", resolve))
  return made
}

function firstReading(io: JohnnyFivePlugin, pin: number): Promise<number> {
  io.pinMode(pin, io.MODES.INPUT)
  return new Promise((resolve) => io.digitalRead(pin, resolve))
}
