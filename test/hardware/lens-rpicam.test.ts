import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, test, vi } from "vitest"
import { isFault } from "../../firmware/errors.ts"
import { fillRing } from "../../firmware/media/fill-ring.ts"
import { Ring } from "../../firmware/media/ring.ts"
import { MiB } from "../../firmware/units.ts"
import { chooseLens } from "../../hardware/lens/choose.ts"
import { loadScene } from "../../simulator/footage.ts"
import { mutant } from "../mutants.ts"
import {
  lensIn,
  newParser,
  PI_5,
  type StandInCamera,
  sourceUnits,
  spelled,
  standInCamera,
  takeUnits,
  warnings,
} from "./stand-in-camera.ts"

describe("what ends rpicam-vid becomes a fault with advice", () => {
  test.each([
    ["no-camera", /rpicam-vid ended \(exit 255\); no camera is found: .*ribbon cable/],
    ["busy", /another program is using the camera: stop it/],
    ["out-of-memory", /out of camera memory \(CMA\): choose a smaller camera.lens.width/],
    ["no-start", /the camera does not start: check the ribbon cable and the power supply/],
    ["crash", /rpicam-vid ended \(SIGKILL\)/],
    ["stall", /rpicam-vid gives no pictures for 5 s/],
    ["wedged", /gives no pictures for 5 s; .*Device timeout detected/],
  ])("%s", async (modes, message) => {
    const { camera, lens } = await lensIn(modes)
    await expect(takeUnits(lens, 100)).rejects.toMatchObject({
      kind: "unavailable",
      definite: false,
      message: expect.stringMatching(message),
    })
    expect(camera.running()).toEqual([])
  })

  test("no encoder for a Pi 5", async () => {
    const camera = standInCamera({}, { model: PI_5 })
    camera.env.STAND_IN_MODES = "no-encoder"
    await expect(takeUnits(await chooseLens(camera), 1)).rejects.toMatchObject({
      message: expect.stringMatching(/cannot encode H.264 on this board: `sudo apt install rpicam-apps`/),
    })
  })

  test.each([
    ["no-camera", /raspivid ended \(exit 70\); the legacy camera stack finds no camera/],
    ["busy", /raspivid ended \(exit 70\); another program is using the camera/],
    ["stall", /raspivid gives no pictures for 5 s/],
    ["wedged", /raspivid gives no pictures for 5 s/],
  ])("raspivid's too: %s", async (modes, message) => {
    const { camera, lens } = await lensIn(modes, { use: "raspicam" })
    await expect(takeUnits(lens, 100)).rejects.toMatchObject({ message: expect.stringMatching(message) })
    expect(camera.running()).toEqual([])
  })

  test("no first picture", async () => {
    const { camera, lens } = await lensIn("stall")
    camera.env.STAND_IN_AFTER = "0"
    await expect(takeUnits(lens, 1)).rejects.toMatchObject({
      message: "rpicam-vid gives no pictures for 30 s; check the camera's ribbon cable and the power supply",
    })
  })

  test("an error that is not known is quoted, its last line", async () => {
    const { camera, lens } = await lensIn("")
    camera.env.STAND_IN_FOOTAGE = "/nowhere"
    await expect(takeUnits(lens, 1)).rejects.toMatchObject({
      message: "rpicam-vid ended (exit 255); failed to write output bytes",
    })
  })

  test.each([
    ["that is gone", null],
    ["that is none", "\x7fELF, but not for this machine"],
    ["whose interpreter is missing", "#!/nowhere/sh\n"],
  ])("a binary %s is a fault each time, and not the end of this process", async (_what, now) => {
    for (const use of ["rpicam-vid", "raspicam"]) {
      const camera = standInCamera({ use })
      const program = join(camera.folder, use === "raspicam" ? "raspivid" : "rpicam-vid")
      writeFileSync(program, "#!/bin/sh\necho '  --libav-format arg'\n", { mode: 0o755 })
      camera.env.PATH = `${camera.folder}:${camera.env.PATH}`
      const lens = await chooseLens({ ...camera, raspividPath: program })
      if (now === null) rmSync(program)
      else writeFileSync(program, now)
      for (let round = 0; round < 2; round++)
        await expect(takeUnits(lens, 1)).rejects.toMatchObject({
          kind: "unavailable",
          definite: false,
          message: expect.stringMatching(
            use === "raspicam" ? /raspivid (?:ended|is gone)/ : /rpicam-vid ended/,
          ),
        })
    }
  })
})

/** Reads on after a pause in which this process was too busy to read what came. */
async function readsOnAfterBusy(choose: typeof chooseLens): Promise<boolean> {
  const camera = standInCamera({}, { haste: 10 })
  const lens = await choose(camera)
  const parser = newParser()
  let units = 0
  let wasBusy = false
  try {
    for await (const piece of lens.pieces(new AbortController().signal)) {
      units += parser.push(piece).length
      if (units > 40) return true
      if (units < 5 || wasBusy) continue
      wasBusy = true
      // More than twice as long as this camera may be silent.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_200)
    }
  } catch (error) {
    if (!isFault(error, "unavailable")) throw error
  }
  return false
}

test("a process that was too busy to read does not take the camera for silent; a mutant does", async () => {
  expect(await readsOnAfterBusy(chooseLens)).toBe(true)
  const mistake = { path: "hardware/lens/stream.ts", from: "inputHeard().then", to: "Promise.resolve().then" }
  const bent = await mutant<{ chooseLens: typeof chooseLens }>("hardware/lens/choose.ts", mistake)
  expect(await readsOnAfterBusy(bent.chooseLens)).toBe(false)
})

test("a warning is logged once a run, however often it is said", async () => {
  const { camera, lens } = await lensIn("wedged")
  await expect(takeUnits(lens, 100)).rejects.toMatchObject({ kind: "unavailable" })
  expect(warnings(camera)).toEqual(["ERROR: Device timeout detected, attempting a restart!!!"])
})

test("all pictures before a crash are given, and half a picture is no picture", async () => {
  const { lens } = await lensIn("crash")
  const parser = newParser()
  const units: string[][] = []
  await expect(async () => {
    for await (const piece of lens.pieces(new AbortController().signal))
      units.push(...parser.push(piece).map(({ nals }) => spelled(nals)))
  }).rejects.toMatchObject({ kind: "unavailable" })
  expect(units).toEqual(await sourceUnits(20))
})

test("a reader that is slow loses nothing, and the camera waits", async () => {
  const { camera, lens } = await lensIn("")
  camera.env.STAND_IN_SPEED = "1000"
  const sizes: number[] = []
  const bytes: Uint8Array[] = []
  for await (const piece of lens.pieces(new AbortController().signal)) {
    bytes.push(piece.bytes)
    sizes.push(piece.bytes.length)
    if (sizes.length === 3) await vi.waitFor(() => writesNothing(camera), 5_000)
    if (bytes.length > 60) break
  }
  const { groups } = await loadScene("day-dog")
  const footage = Buffer.concat(groups.map((group) => group.bytes))
  const given = Buffer.concat(bytes)
  const loops = Buffer.concat(Array.from({ length: Math.ceil(given.length / footage.length) }, () => footage))
  expect(given.equals(loops.subarray(0, given.length))).toBe(true)
})

/** For a tenth of a second: thousands of times as long as it needs for a picture. */
async function writesNothing(camera: StandInCamera): Promise<void> {
  const [pid] = camera.running()
  const written = () => /wchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1]
  const before = written()
  await sleep(100)
  expect(written()).toBe(before)
}

describe("motion", () => {
  test("that rpicam-vid sees is told as true and false in turn, and ends with the pictures", async () => {
    const { camera, lens } = await lensIn("motion", { motionDetection: true })
    const edges: boolean[] = []
    const stop = lens.watchMotion?.((moving) => edges.push(moving))
    await takeUnits(lens, 37)
    expect(edges.slice(0, 4)).toEqual([true, false, true, false])
    expect(edges.at(-1)).toBe(false)
    stop?.()
    const before = edges.length
    await takeUnits(lens, 15)
    expect(edges.length).toBe(before)
    expect(camera.calls().at(-1)?.argv).toContain("--post-process-file")
  })
})

test("a build that cannot look for motion gives pictures, and says so once", async () => {
  const { camera, lens } = await lensIn("no-stage", { motionDetection: true })
  const { units } = await takeUnits(lens, 15)
  expect(units.length).toBe(15)
  expect(warnings(camera)).toEqual(['No post processing stage found for "motion_detect"'])
})

test("whatever is said on standard error, the last of it is heard", async () => {
  const camera = standInCamera()
  const program = join(camera.folder, "rpicam-vid")
  const noise = "head -c 3000000 /dev/urandom >&2; head -c 3000000 /dev/zero >&2; printf '\\n\\303' >&2"
  const last = "echo; echo 'ERROR: *** no cameras available ***' >&2; printf 'ERROR: cut' >&2; exit 255"
  writeFileSync(program, `#!/bin/sh\n[ "$1" = --help ] && exit 0\n${noise}; echo >&2; ${last}\n`, {
    mode: 0o755,
  })
  camera.env.PATH = `${camera.folder}:${camera.env.PATH}`
  await expect(takeUnits(await chooseLens(camera), 1)).rejects.toMatchObject({
    message: expect.stringMatching(/^rpicam-vid ended \(exit 255\); no camera is found/),
  })
})

test("a cable out mid-clip: the log says what to do, and the camera is started until it is back", async () => {
  const { camera, lens } = await lensIn("crash")
  camera.env.STAND_IN_AFTER = "40"
  const ring = new Ring({
    duration: 60_000,
    bytesMax: 64 * MiB,
    framesPerSecond: 15,
    onFlaw: () => undefined,
  })
  const stop = new AbortController()
  const filling = fillRing({ ...camera, lens }, ring, { retryFirst: 200, retryMax: 60_000 }, stop.signal)
  const lost = () => camera.lines.flatMap((line) => (line.event === "lens lost" ? [line] : []))
  await vi.waitFor(() => expect(lost().length).toBeGreaterThanOrEqual(2), 10_000)
  expect(lost()[0]).toMatchObject({ reason: "rpicam-vid ended (SIGKILL)", againIn: 200 })
  camera.env.STAND_IN_MODES = "no-camera"
  await vi.waitFor(() => expect(lost().at(-1)?.reason).toMatch(/ribbon cable/), 10_000)
  camera.env.STAND_IN_MODES = ""
  const before = camera.calls().length
  await vi.waitFor(() => expect(camera.calls().length).toBeGreaterThan(before), 10_000)
  stop.abort()
  await filling
  expect(camera.running()).toEqual([])
})

test("a camera that listens is stopped in order", async () => {
  for (const use of ["rpicam-vid", "raspicam"]) {
    const { camera, lens } = await lensIn("", { use })
    const file = join(camera.folder, "stopped")
    camera.env.STAND_IN_STOPPED = file
    await takeUnits(lens, 2)
    expect(readFileSync(file, "utf8")).toBe(`${camera.calls().at(-1)?.pid}\n`)
  }
})

test("it is read by one at a time", async () => {
  const { lens } = await lensIn("")
  for await (const _piece of lens.pieces(new AbortController().signal)) {
    await expect(takeUnits(lens, 1)).rejects.toMatchObject({ kind: "unavailable" })
    break
  }
})

test("on a Pi 5 pieces have no timing, and the pictures are the same", async () => {
  const camera = standInCamera({}, { model: PI_5 })
  const { pieces, units } = await takeUnits(await chooseLens(camera), 20)
  expect(pieces.every(({ timing }) => timing === undefined)).toBe(true)
  expect(units.map(({ nals }) => spelled(nals))).toEqual(await sourceUnits(20))
})
