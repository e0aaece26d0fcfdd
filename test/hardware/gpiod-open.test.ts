import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { describe, expect, onTestFinished, test, vi } from "vitest"
import { findChip, parseChips, parseLines, parseVersion } from "../../hardware/gpiod/chip.ts"
import { edgeLevel, getLevels, holdLevel, holdPattern, watchEdges } from "../../hardware/gpiod/syntax.ts"
import { Tools } from "../../hardware/gpiod/tools.ts"
import { root, TYPESCRIPT } from "../support.ts"
import { gpiodRig, isRunning, LABEL } from "./gpiod-rig.ts"

const MOTION = 17
const LIGHT = 22

describe.each([1, 2] as const)("taking the pins by gpiod %i", (version) => {
  const newRig = () => gpiodRig(version, onTestFinished)

  test("a pin that is in use names who uses it, and nothing is held then", async () => {
    for (const pin of [LIGHT, MOTION]) {
      const { kernel, open } = await newRig()
      kernel.occupy(pin, "spi0 CS0")
      await expect(open()).rejects.toMatchObject({
        kind: "unavailable",
        message: expect.stringContaining(`GPIO ${pin}: is in use by "spi0 CS0"`),
      })
      await kernel.until(() => kernel.holders.length === 0)
    }
  })

  test("without permission it says which group is missing", async () => {
    const { kernel, open } = await newRig()
    kernel.denied = true
    await expect(open()).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("group gpio"),
    })
  })

  test("a label that no chip has is answered with those that chips have", async () => {
    const { open } = await newRig()
    await expect(open({ chipLabel: "pinctrl-rp1" })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(`set gpio.chipLabel to one of "${LABEL}"`),
    })
  })

  test("a machine without a GPIO chip says so", async () => {
    const { kernel, open } = await newRig()
    kernel.gone = true
    await expect(open()).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("no GPIO chip"),
    })
  })

  test("the chip is found by its label", async () => {
    const { options } = await newRig()
    const tools = new Tools(options.env, options.clock)
    expect(await findChip(tools, LABEL)).toEqual({ name: "gpiochip0", label: LABEL, lines: 58, version })
  })

  test("the arguments are of this version's tools, and the other version refuses them", async () => {
    const { kernel } = await newRig()
    const run = (of: 1 | 2, tool: string, args: readonly string[]) =>
      spawnSync(join(root, `test/hardware/stand-ins/gpiod-v${of}`, tool), args, {
        env: kernel.toolsEnv,
        encoding: "utf8",
      }).stderr
    const other = version === 1 ? 2 : 1
    const words: Readonly<Record<string, readonly string[]>> = {
      gpioget: getLevels(version, "gpiochip0", [MOTION]),
      gpiomon: watchEdges(version, "gpiochip0", [MOTION]),
      gpioset: holdLevel(version, "gpiochip0", LIGHT, 1),
    }
    for (const [tool, args] of Object.entries(words))
      expect(run(other, tool, args)).toMatch(
        /unrecognized option|invalid option|invalid bias|cannot find line/,
      )
  })

  test("when the process ends by an error, or by a signal that it handles, no tool is left", async () => {
    for (const end of ["error", "signal"]) {
      const { kernel } = await newRig()
      const child = spawn(process.execPath, ["--import", TYPESCRIPT, "--input-type=module", "-e", PROGRAM], {
        env: { ...kernel.toolsEnv, ROOT: root, END: end },
        stdio: ["ignore", "ignore", "ignore"],
      })
      const ended = once(child, "exit")
      await kernel.until(() => kernel.level(LIGHT) === 1 && kernel.holders.length === 2)
      const tools = kernel.holders
      child.kill(end === "signal" ? "SIGTERM" : "SIGUSR2")
      expect(await ended).toEqual(end === "signal" ? [0, null] : [1, null])
      await kernel.until(() => kernel.holders.length === 0)
      // A process lets go of its socket a moment before it is gone.
      await vi.waitFor(() => expect(tools.filter(isRunning)).toEqual([]))
      if (end === "signal") expect(kernel.level(LIGHT)).toBe(0)
    }
  })
})

/** Lights the light; ends in order at SIGTERM, by an error that nobody catches at SIGUSR2. */
const PROGRAM = `
  const { openGpiod } = await import(process.env.ROOT + "/hardware/gpiod/gpiod-io.ts")
  const { processClock } = await import(process.env.ROOT + "/hardware/clock.ts")
  const { parseConfig } = await import(process.env.ROOT + "/firmware/config.ts")
  const log = { write: () => undefined }
  const io = await openGpiod({ pins: parseConfig().pins, chipLabel: "${LABEL}", env: process.env, clock: processClock(), log })
  process.on("SIGTERM", () => io.close().then(() => process.exit(0)))
  process.on("SIGUSR2", () => { throw new Error("a mistake") })
  io.digitalWrite(${LIGHT}, 1)
`

describe("without the tools", () => {
  test("it says what to install", async () => {
    const { open, folder } = await gpiodRig(2, onTestFinished)
    await expect(open({ env: { PATH: folder } })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("apt install gpiod"),
    })
  })
})

describe("what the tools say", () => {
  test("versions 1.6 and 2 are known, others are refused", () => {
    expect(parseVersion("gpiodetect (libgpiod) v1.6.3\nCopyright")).toBe(1)
    expect(parseVersion("gpiodetect (libgpiod) v2.2.1\nCopyright")).toBe(2)
    for (const text of ["", "gpiodetect (libgpiod) v1.4.1", "gpiodetect (libgpiod) v3.0", "v2.2"])
      expect(() => parseVersion(text)).toThrow(expect.objectContaining({ kind: "unsupported" }))
  })

  test("chips are read line by line, and what is none is left out", () => {
    const text = "gpiochip0 [pinctrl-bcm2711] (58 lines)\nnonsense\ngpiochip1 [a [b] c] (8 lines)\n"
    expect(parseChips(text)).toEqual([
      { name: "gpiochip0", label: "pinctrl-bcm2711", lines: 58 },
      { name: "gpiochip1", label: "a [b] c", lines: 8 },
    ])
    expect(parseChips("gpiochip0 [x] (many lines)")).toEqual([])
  })

  // As gpioinfo 1.6.3 and 2.2.1 printed it on a kernel 6.1; the last line of each by their source.
  test("lines are read with their direction and consumer", () => {
    const one = [
      "gpiochip0 - 58 lines:",
      '\tline  17: "gpio-mockup-A-17" "gpiomon" input active-high [used pull-down]',
      '\tline  22: "gpio-mockup-A-22" "gpioset" output active-high [used pull-down]',
      '\tline  23: "gpio-mockup-A-23" unused input active-high ',
      "\tline  24:      unnamed       kernel   input  active-high [used]",
    ].join("\n")
    const two = [
      'gpiochip0 17\t"gpio-mockup-A-17"\tinput bias=pull-down edges=both consumer="gpiomon"',
      'gpiochip0 22\t"gpio-mockup-A-22"\toutput bias=pull-down consumer="gpioset"',
      'gpiochip0 23\t"gpio-mockup-A-23"\tinput',
      'gpiochip0 24\tunnamed         \tinput consumer="kernel"',
    ].join("\n")
    const expected = [
      { pin: 17, direction: "input", consumer: "gpiomon" },
      { pin: 22, direction: "output", consumer: "gpioset" },
      { pin: 23, direction: "input", consumer: null },
      { pin: 24, direction: "input", consumer: "kernel" },
    ]
    expect(parseLines(1, one)).toEqual(expected)
    expect(parseLines(2, two)).toEqual(expected)
    for (const version of [1, 2] as const)
      expect(parseLines(version, "gpiochip0 x\n\tline : ?\n")).toEqual([])
  })

  test("an edge's number means what its version means by it, and no other", () => {
    expect([0, 1, 2].map((type) => edgeLevel(1, type))).toEqual([0, 1, null])
    expect([0, 1, 2].map((type) => edgeLevel(2, type))).toEqual([null, 1, 0])
  })

  test("a pattern is told in whole milliseconds, none of them 0, which would end it", () => {
    expect(holdPattern("gpiochip0", LIGHT, [499.6, 0.2])[0]).toBe("--toggle=500ms,1ms")
  })

  test("a pin beyond the chip's lines is refused", async () => {
    const { kernel, open } = await gpiodRig(2, onTestFinished)
    kernel.lineCount = 20
    await expect(open()).rejects.toMatchObject({ kind: "usage", message: expect.stringContaining("GPIO 27") })
  })
})
