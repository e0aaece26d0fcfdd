import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { delimiter, join } from "node:path"
import { CommanderError } from "commander"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { openIdentity } from "../../firmware/control/identity.ts"
import { fsDisk } from "../../hardware/disk.ts"
import { selfTestCommand } from "../../hardware/selftest/command.ts"
import { selfTestRecord } from "../../hardware/selftest/record.ts"
import type { Running } from "../running.ts"
import { bundle, type Pi, quickSettings, standInPi } from "./pi-camera.ts"
import { recordOf } from "./selftest-world.ts"

let program: Awaited<ReturnType<typeof bundle>>
beforeAll(async () => {
  program = await bundle()
})
afterAll(() => program.remove())

/** The stand-in shows one uncompressed picture for ever; this one has a sensor's noise, and is quick about it. */
const NOISY_CAMERA = `#!/usr/bin/env node
const { spawn } = require("node:child_process")
const words = process.argv.slice(2)
if (words.includes("yuv420")) {
  const picture = Buffer.alloc(640 * 480 * 1.5, 128)
  setInterval(() => {
    for (let i = 0; i < 640 * 480; i++) picture[i] = 40 + (i % 640) / 4 + Math.random() * 3
    process.stdout.write(picture)
  }, 40)
  process.on("SIGINT", () => process.exit(0))
} else {
  const camera = spawn(process.env.REAL_STAND_IN, words, { stdio: "inherit" })
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => camera.kill(signal))
  camera.on("exit", (code, signal) => process.exit(signal ? 1 : code))
}
`

/** A board that is good as far as stand-ins go, and a broker that answers. */
async function board(): Promise<Pi> {
  const pi = await standInPi(program.file, onTestFinished)
  const broker = createServer((socket) => socket.on("error", () => undefined)).listen(0, "127.0.0.1")
  await new Promise((resolve) => broker.once("listening", resolve))
  onTestFinished(() => void broker.close())
  const address = broker.address()
  await pi.settle(quickSettings(typeof address === "object" ? (address?.port ?? 0) : 0))
  const disk = await fsDisk(pi.paths.state)
  await openIdentity(disk)
  await disk.close()
  return pi
}

async function withNoisyCamera(pi: Pi): Promise<void> {
  const bin = join(pi.folder, "camera-bin")
  const [, stand = ""] = (pi.env.PATH ?? "").split(delimiter)
  await mkdir(bin)
  await writeFile(join(bin, "rpicam-vid"), NOISY_CAMERA)
  // Whatever a folder above says of its scripts.
  await writeFile(join(bin, "package.json"), '{ "type": "commonjs" }')
  await chmod(join(bin, "rpicam-vid"), 0o755)
  Object.assign(pi.env, {
    PATH: `${bin}${delimiter}${pi.env.PATH}`,
    REAL_STAND_IN: join(stand, "rpicam-vid"),
  })
}

/** `obscura-camera selftest WORDS`, with this board's folders. */
function start(pi: Pi, ...words: readonly string[]): Running {
  const places = Object.entries(pi.paths).flatMap(([name, path]) => [`--${name}`, path])
  return pi.start("selftest", ...places, ...words)
}

/** Looks at the lights, presses and moves. */
function operate(pi: Pi, { child }: Running): void {
  child.stdout?.on("data", (bytes) => {
    const text = String(bytes)
    if (/is the recording light on/.test(text)) child.stdin?.write(pi.kernel.level(22) === 1 ? "y\n" : "n\n")
    if (/is the status light on/.test(text)) child.stdin?.write(pi.kernel.level(23) === 1 ? "y\n" : "n\n")
    if (/Press the button/.test(text)) void pi.press()
    if (/Now move/.test(text)) pi.kernel.set(17, 1)
  })
}

const lineOf = (output: string, name: string) =>
  output.split("\n").find((line) => line.slice(9).startsWith(`${name} `)) ?? ""

test("a board of stand-ins is tested from end to end, with an operator, and its record kept", async () => {
  const pi = await board()
  await withNoisyCamera(pi)
  const records = join(pi.folder, "records")
  const labels = join(pi.folder, "labels")
  const kept = ["--record", records, "--seen", records, "--label", labels, "--serial", "jig-1"]
  const run = start(pi, ...kept)
  operate(pi, run)
  const { output, code, errors } = await run.ended
  const record = selfTestRecord.parse(JSON.parse(await readFile(records, "utf8")))
  expect(record.board).toMatchObject({ serial: "jig-1" })
  for (const name of [
    "key",
    "broker",
    "lens",
    "frame rate",
    "bitrate",
    "picture",
    "frozen",
    "crypto",
    "recording light",
    "status light",
    "button",
    "motion sensor",
  ])
    expect(lineOf(output, name)).toMatch(/^pass/)
  // Where this runs NTP may not have answered; then it fails for that, and for nothing else.
  const failed = record.checks.filter(({ verdict }) => verdict === "fail").map(({ name }) => name)
  expect(failed.filter((name) => name !== "clock")).toEqual([])
  const passed = record.verdict === "pass"
  expect(code).toBe(passed ? 0 : 1)
  expect(errors).toBe(passed ? "" : `obscura-camera: selftest: failed: ${failed.join(", ")}\n`)
  expect(await readdir(labels)).toEqual(passed ? [`obscura-${record.device?.slice(0, 12)}.svg`] : [])
  // Nothing is left of the test, and nobody holds a pin.
  expect(await readdir(pi.paths.state)).toEqual(["data", "private"])
  expect(pi.kernel.holders).toEqual([])
  expect(pi.kernel.level(22)).toBe(0)
}, 60_000)

test("a card that was copied after its first boot is found out, and a missing camera, as JSON", async () => {
  const pi = await board()
  Object.assign(pi.env, { STAND_IN_MODES: "no-camera" })
  const { paths } = pi
  const disk = await fsDisk(paths.state)
  const { device } = await openIdentity(disk)
  await disk.close()
  const records = join(pi.folder, "records")
  await writeFile(records, `${JSON.stringify(recordOf({ device, serial: "jig-1" }))}\n`)
  const run = await start(pi, "--no-operator", "--json", "--seen", records, "--serial", "jig-2").ended
  const { checks, verdict } = selfTestRecord.parse(JSON.parse(run.output))
  const of = (name: string) => checks.find((check) => check.name === name)
  expect({ code: run.code, verdict }).toEqual({ code: 1, verdict: "fail" })
  expect(of("key")).toMatchObject({ verdict: "fail", why: expect.stringMatching(/board jig-1/) })
  expect(of("lens")).toMatchObject({ verdict: "fail", why: expect.stringMatching(/no camera is found/) })
}, 60_000)

describe("wrong input is one line that says what to do", () => {
  test("and exit code 2", async () => {
    const pi = await board()
    for (const words of [["--skip-lens"], ["--serial", "a b"]]) {
      const { code, output, errors } = await start(pi, "--no-operator", ...words).ended
      expect({ code, output, lines: errors.trimEnd().split("\n").length }).toEqual({
        code: 2,
        output: "",
        lines: 1,
      })
    }
  })

  /** Why the command refuses to begin. */
  const refusal = async (pi: Pi, ...words: readonly string[]) => {
    const places = Object.entries(pi.paths).flatMap(([name, path]) => [`--${name}`, path])
    const command = selfTestCommand(pi.env)
      .exitOverride()
      .configureOutput({ outputError: () => undefined })
    const refused = await command
      .parseAsync(["--no-operator", ...places, ...words], { from: "user" })
      .catch((error) => error)
    expect(refused).toBeInstanceOf(Error)
    expect(refused instanceof CommanderError || refused.kind === "usage").toBe(true)
    expect(refused.message).not.toContain("\n")
    return refused.message
  }

  test.each([
    ["a number with a space", ["--serial", "a b"], /--serial takes letters/],
    ["no number", ["--serial", ""], /--serial takes letters/],
    ["a record in no folder", ["--record", "FOLDER/none/records"], /--record .*cannot be written/],
    ["earlier records that are not there", ["--seen", "FOLDER/none"], /--seen .*cannot be read/],
    ["earlier records that are something else", ["--seen", "FOLDER/file"], /file:1: not a record/],
    ["labels into a file", ["--label", "FOLDER/file"], /choose another folder/],
    ["an option that there is none of", ["--skip-lens"], /unknown option '--skip-lens'/],
    ["a word too many", ["now"], /too many arguments/],
    ["an option without its value", ["--record"], /argument missing/],
  ])("%s", async (_what, words, says) => {
    const pi = await board()
    await writeFile(join(pi.folder, "file"), "text\n")
    expect(await refusal(pi, ...words.map((word) => word.replace("FOLDER", pi.folder)))).toMatch(says)
  })

  test.each([
    ["settings that are no JSON", "{", /camera\.json/],
    ["settings with a field too many", '{"lense":{}}', /camera\.json.*lense/],
    ["a broker that is none", '{"broker":"http://x"}', /mqtts:\/\/host/],
  ])("%s", async (_what, settings, says) => {
    const pi = await board()
    await writeFile(pi.paths.settings, settings)
    expect(await refusal(pi)).toMatch(says)
  })

  test("a camera that runs", async () => {
    const pi = await board()
    const disk = await fsDisk(pi.paths.state)
    expect(await refusal(pi)).toMatch(/in use by process \d+.*systemctl stop/)
    await disk.close()
  })
})
