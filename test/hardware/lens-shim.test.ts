import { spawn, spawnSync } from "node:child_process"
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { describe, expect, test, vi } from "vitest"
import { parseConfig } from "../../firmware/config.ts"
import { packageOptions } from "../../hardware/lens/raspicam.ts"
import { installShim } from "../../hardware/lens/shim.ts"
import { parseSettings } from "../../hardware/settings.ts"
import { mutant } from "../mutants.ts"
import { PI_4, PI_5, type StandInCamera, standInCamera } from "./stand-in-camera.ts"

async function installed(camera = standInCamera()): Promise<{ camera: StandInCamera; path: string }> {
  const path = join(camera.folder, "opt/vc/bin/raspivid")
  await installShim(path)
  camera.env.STAND_IN_MODES = "no-camera"
  return { camera, path }
}

/** What rpicam-vid is asked when raspivid is asked `argv`. */
async function translated(argv: readonly string[], camera = standInCamera()): Promise<string> {
  const { path } = await installed(camera)
  spawnSync(path, argv, { env: camera.env })
  const call = camera.calls().findLast((made) => !made.argv.includes("--help"))
  return call?.argv.join(" ") ?? "not started"
}

const LAST = "--libav-format h264 --low-latency"

describe("installing", () => {
  test("makes the folders, and leaves one file that everybody may run", async () => {
    const { path } = await installed()
    expect(statSync(path).mode & 0o777).toBe(0o755)
    expect(readdirSync(join(path, ".."))).toEqual(["raspivid"])
    expect(readFileSync(path, "utf8")).toMatch(/^#!\/bin\/sh\n/)
  })

  test("replaces an older shim", async () => {
    const { path } = await installed()
    writeFileSync(path, readFileSync(path, "utf8").replace("exec rpicam-vid", "exec libcamera-vid"))
    await installShim(path)
    expect(readFileSync(path, "utf8")).toContain('exec rpicam-vid "$@"')
  })

  test.each(["a real raspivid", "a link", "a folder"])("leaves %s as it is, and says so", async (what) => {
    const { folder } = standInCamera()
    const path = join(folder, "raspivid")
    if (what === "a real raspivid") writeFileSync(path, "\x7fELF")
    else if (what === "a link") symlinkSync("/bin/true", path)
    else mkdirSync(path)
    await expect(installShim(path)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(`${path}: is there already and not obscura's`),
    })
    expect(readdirSync(folder)).toEqual(["raspivid"])
    if (what === "a real raspivid") expect(readFileSync(path, "latin1")).toBe("\x7fELF")
  })

  test("which a mutant fails that takes anything for its own", async () => {
    const mistake = { path: "hardware/lens/shim.ts", from: "if (isOurs) return true", to: "return true" }
    const { installShim: replaceAnything } = await mutant<{ installShim: typeof installShim }>(
      "hardware/lens/shim.ts",
      mistake,
    )
    const path = join(standInCamera().folder, "raspivid")
    writeFileSync(path, "\x7fELF")
    await replaceAnything(path)
    expect(readFileSync(path, "latin1")).not.toBe("\x7fELF")
  })

  test("where nothing can be written is a usage fault, and nothing half-written is left", async () => {
    const { folder } = standInCamera()
    writeFileSync(join(folder, "opt"), "a file")
    await expect(installShim(join(folder, "opt/raspivid"))).rejects.toMatchObject({ kind: "usage" })
    await expect(installShim("/proc/raspivid")).rejects.toMatchObject({ kind: "usage" })
    expect(existsSync(join(folder, "opt/raspivid"))).toBe(false)
  })
})

describe("raspivid's options become rpicam-vid's", () => {
  test("those that the raspicam package is given, and rpicam-vid understands them", async () => {
    const settings = {
      ...parseSettings({ lens: { rotationDegrees: 180, camera: 1 } }, PI_4).lens,
      mode: "night",
    } as const
    const options = packageOptions({ config: parseConfig().lens, settings })
    // As the package does it.
    const argv = Object.entries(options).flatMap(([key, value]) =>
      key === "mode" || key === "log" ? [] : value === true ? [`--${key}`] : [`--${key}`, `${value}`],
    )
    expect(await translated(argv)).toBe(
      "--output - --timeout 0 --nopreview --inline --flush --width 1280 --height 720 --framerate 15 " +
        `--bitrate 2000000 --intra 15 --camera 1 --rotation 180 --exposure long --saturation 0 ${LAST}`,
    )
  })

  test.each([
    ["--timeout 999999999", "--timeout 999999999"],
    [
      "-w 640 -h 480 -fps 25 -g 50 -ih -n -o -",
      "--width 640 --height 480 --framerate 25 --intra 50 --inline --nopreview --output -",
    ],
    ["--codec H264 --profile high --level 4.2", "--codec h264 --profile high --level 4.2"],
    ["--brightness 50 --contrast 0 --sharpness 100", "--brightness 0 --contrast 1 --sharpness 2"],
    ["--brightness 100 --saturation -50 --ISO 400", "--brightness 1 --saturation 0.5 --gain 4"],
    ["--exposure sports --awb cloud --metering backlit", "--exposure sport --awb cloudy --metering average"],
    ["--exposure fixedfps --awb greyworld --ev -3", "--exposure normal --awb auto --ev -3"],
    ["--vstab --qp 20 --drc high --imxfx negative --opacity 100 --hflip", "--hflip"],
    ["--verbose --stats --settings --penc", ""],
  ])("%s", async (given, expected) => {
    expect(await translated(given.split(" "))).toBe(`${expected} ${LAST}`.trim())
  })

  test("what this rpicam-vid does not have is not asked for", async () => {
    const camera = standInCamera()
    camera.env.STAND_IN_HELP = "1.5"
    expect(await translated(["--inline"], camera)).toBe("--inline --libav-format h264")
  })

  test("each value stays one word, and no shell reads it", async () => {
    const { camera, path } = await installed()
    spawnSync(path, ["--roi", "0, 0 $(touch x) * ;", "--preview", "a'b\"c"], {
      env: camera.env,
      cwd: camera.folder,
    })
    expect(camera.calls().at(-1)?.argv.slice(0, 4)).toEqual([
      "--roi",
      "0, 0 $(touch x) * ;",
      "--preview",
      "a'b\"c",
    ])
    expect(existsSync(join(camera.folder, "x"))).toBe(false)
  })

  test.each([
    [["--zoom", "2"], "Invalid command line option (--zoom)"],
    [["--width"], "Invalid command line option (--width)"],
    [["--segment", "1000"], "the shim cannot do --segment"],
    [["--circular"], "the shim cannot do --circular"],
    [["--initial", "pause"], "the shim cannot do --initial pause"],
  ])("%j ends it with 64, and no camera is started", async (argv, said) => {
    const { camera, path } = await installed()
    const { status, stderr } = spawnSync(path, argv, { env: camera.env, encoding: "utf8" })
    expect([status, stderr.trim()]).toEqual([64, `raspivid: ${said}`])
    expect(camera.calls().filter((made) => !made.argv.includes("--help"))).toEqual([])
  })

  test("without rpicam-vid it says what to install", async () => {
    const { camera, path } = await installed()
    const { status, stderr } = spawnSync(path, ["--inline"], {
      env: { ...camera.env, PATH: "/nowhere" },
      encoding: "utf8",
    })
    expect([status, stderr]).toEqual([70, expect.stringContaining("apt install rpicam-apps-lite")])
  })
})

test("signals reach rpicam-vid, which has the shim's own process id", async () => {
  const { camera, path } = await installed(standInCamera({}, { model: PI_5 }))
  camera.env.STAND_IN_MODES = ""
  const child = spawn(path, ["--output", "-", "--timeout", "0"], {
    env: camera.env,
    stdio: ["ignore", "pipe", "inherit"],
  })
  child.stdout.resume()
  await new Promise((resolve) => child.stdout.once("data", resolve))
  expect(camera.running()).toEqual([child.pid])
  child.kill("SIGINT")
  await vi.waitFor(() => expect(child.exitCode).toBe(0))
})
